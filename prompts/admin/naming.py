"""How the pages of the collection of prompts show its items: by their titles, leading to the prompts."""

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from vectors.admin.naming import Group, Naming

from ..models import PromptLabel

_AT_ONCE = 500


def _labels(keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The labels of prompts by id; of those without any nothing."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(keys), _AT_ONCE):
        labels = PromptLabel.objects.filter(prompt__in=keys[start : start + _AT_ONCE])
        for prompt, name in labels.values_list("prompt_id", "name"):
            found.setdefault(prompt, []).append(name)
    return found


NAMING = Naming(
    permission="prompts.view_prompt",
    url=lambda key: reverse("admin:prompts_prompt_change", args=[key]),
    groups={"label": Group(_("Label"), _labels)},
    fields={
        "status": _("Status"),
        "language": _("Language"),
        "folder": _("Folder"),
        "tags": _("Tag"),
    },
)
