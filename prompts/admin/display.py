"""What pages of prompts share, beside the pieces of ``vectors.admin.display``."""

from django.urls import reverse

STATUS_LABELS = {"draft": "warning", "active": "success", "archived": "default"}


def diff_url(prompt_id: str, old: int, new: int) -> str:
    return f"{reverse('admin:prompts_prompt_compare', args=[prompt_id])}?from={old}&to={new}"
