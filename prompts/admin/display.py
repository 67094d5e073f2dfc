"""What pages of prompts share, beside the pieces of ``vectors.admin.display``."""

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from vectors.admin.display import link

from ..models import Prompt

STATUS_LABELS = {"draft": "warning", "active": "success", "archived": "default"}


def diff_url(prompt_id: str, old: int, new: int) -> str:
    return f"{reverse('admin:prompts_prompt_compare', args=[prompt_id])}?from={old}&to={new}"


def said_saved(prompt: Prompt, told: str) -> SafeString:
    """What was saved, and where people go from there: a look at the change, and a label."""
    labels = f"{reverse('admin:prompts_prompt_labels', args=[prompt.pk])}?version={prompt.version}#move"
    links = [link(labels, gettext("Move a label to it"))]
    before = prompt.versions.kept().filter(version__lt=prompt.version).order_by("-version").first()
    if before:
        links.insert(
            0, link(diff_url(prompt.pk, before.version, prompt.version), gettext("See what changed"))
        )
    return format_html("{} {}", told, format_html_join(" · ", "{}", ((one,) for one in links)))
