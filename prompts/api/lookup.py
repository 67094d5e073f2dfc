"""Finding what a path names, and pages of it."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Path

from vectors.schemas import Paging

from ..errors import NotThere, Protected
from ..models import Prompt, PromptVersion, User
from ..ownership import check_owner
from .values import NameText

# In an address: the id or name of a prompt.
Ref = Annotated[
    NameText, Path(description="Id or name; slashes of a name stay as they are, or are sent as %2F.")
]


def find_prompt(ref: str) -> Prompt:
    prompt = Prompt.objects.select_related("user").by_ref(ref)
    if prompt is None:
        raise NotThere("prompt", "the id or name of a prompt", repr(ref[:255]))
    return cast(Prompt, prompt)


def find_own_prompt(request: HttpRequest, ref: str) -> Prompt:
    """For operations that change it: raises ``Protected`` where it is another's, see `prompts.ownership`."""
    prompt = find_prompt(ref)
    check_owner(actor(request), prompt)
    return prompt


def find_version(prompt: Prompt, number: int) -> PromptVersion:
    versions = PromptVersion.objects.kept().select_related("author", "parent")
    version = versions.filter(prompt=prompt.pk, version=number).first()
    if version is None:
        raise NotThere("version", f"a version of {prompt.name}", str(number))
    return version


def actor(request: HttpRequest) -> User:
    return cast(User, request.user)  # only known users get past a permission


def check_labels(request: HttpRequest, labels: Sequence[str]) -> None:
    """To have labels serve what is saved takes the permission to move labels, as elsewhere."""
    needed = "prompts.change_promptlabel"
    if labels and not actor(request).has_perm(needed):
        raise Protected("labels", f"the permission {needed} to move labels", "an account without it")


def page_of(found: Sequence[Any], paging: Paging) -> dict[str, Any]:
    """A page of what is known already."""
    items = found[paging.offset : paging.offset + paging.limit]
    return {"items": items, "total": len(found), "limit": paging.limit, "offset": paging.offset}


def page(rows: QuerySet[Any], paging: Paging) -> dict[str, Any]:
    items = list(rows[paging.offset : paging.offset + paging.limit])
    return {"items": items, "total": rows.count(), "limit": paging.limit, "offset": paging.offset}
