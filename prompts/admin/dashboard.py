"""The figures on the console's first page."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from vectors import store
from vectors.models import Collection

from ..indexing import COLLECTION, count_outdated
from ..models import Prompt, PromptVersion, Status

LATEST = 8


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    if not request.user.has_perm("prompts.view_prompt"):
        return context
    listing = reverse("admin:prompts_prompt_changelist")
    by_status = dict(Prompt.objects.order_by().values_list("status").annotate(Count("pk")))
    collection = Collection.objects.filter(name=COLLECTION).first()
    prompts = sum(by_status.values())
    changes = PromptVersion.objects.select_related("prompt", "author").order_by("-created_at", "-version")
    return context | {
        "figures": {
            "prompts": prompts,
            "statuses": [
                (status, by_status.get(status, 0), f"{listing}?status__exact={status}")
                for status in Status.values
            ],
            "versions": PromptVersion.objects.count(),
            "collection": collection,
            "rows": store.count(collection) if collection else 0,
            "outdated": count_outdated() if prompts else 0,
        },
        "changes": changes.defer("content", "prompt__content", "prompt__metadata")[:LATEST],
    }
