"""All labels in use, and the policies that say who may move them and on what evidence."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from ninja import Path, Query, Router
from ninja.responses import Status as Answer

from vectors.permissions import needs
from vectors.schemas import Paging

from ..errors import NotThere
from ..models import LabelPolicy, PromptLabel
from . import label_schemas as schemas
from .lookup import page_of
from .values import LabelText

router = Router(tags=["labels"])


@router.get("/labels", response={200: schemas.LabelPage})
def list_all_labels(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Labels that prompts have or policies name, with both, by name."""
    kept = PromptLabel.objects.filter(prompt__deleted_at=None).order_by("name")
    counts = dict(kept.values_list("name").annotate(Count("pk")))
    policies = {policy.name: policy for policy in LabelPolicy.objects.all()}
    found = page_of(sorted({*counts, *policies}), paging)
    found["items"] = [
        {"name": name, "prompts": counts.get(name, 0), "policy": policies.get(name)}
        for name in found["items"]
    ]
    return found


@router.put("/labels/{label}", response={200: schemas.PolicyOut})
@needs("prompts.change_labelpolicy")
def set_policy(request: HttpRequest, label: Path[LabelText], payload: schemas.PolicyIn) -> LabelPolicy:
    """Set the policy of a label, which holds for all prompts; what is left out gets its default."""
    policy = LabelPolicy.objects.filter(name=label).first() or LabelPolicy(name=label)
    for field, value in payload.model_dump().items():
        setattr(policy, field, value)
    policy.full_clean()
    policy.save()
    return policy


@router.delete("/labels/{label}", response={204: None})
@needs("prompts.delete_labelpolicy")
def delete_policy(request: HttpRequest, label: Path[LabelText]) -> Answer[None]:
    """Take the policy away; the label stays where it is."""
    deleted, _ = LabelPolicy.objects.filter(name=label).delete()
    if not deleted:
        raise NotThere("label", "a label with a policy", repr(label[:80]))
    return Answer(204, None)
