"""Small pieces of HTML that several pages show. Everything that comes from the database is escaped."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

STATUS_LABELS = {"draft": "warning", "active": "success", "archived": "default"}


def score_bar(score: float) -> SafeString:
    return format_html(
        '<span class="afn-score"><progress max="1" value="{}"></progress> {}</span>', score, f"{score:.2f}"
    )


def chips(texts: Iterable[object]) -> SafeString:
    """Tags as they are: unfold's labels are in capitals, and tags are case-sensitive."""
    return format_html_join(" ", '<span class="afn-tag">{}</span>', ((text,) for text in texts))


def short_time(moment: datetime | None) -> str:
    return localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else "–"


def link(url: str, text: object) -> SafeString:
    return format_html('<a class="text-link" href="{}">{}</a>', url, text)


def diff_url(prompt_id: str, old: int, new: int) -> str:
    return f"{reverse('admin:prompts_prompt_compare', args=[prompt_id])}?from={old}&to={new}"
