"""Small pieces of HTML that several pages show. Everything that comes from the database is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.utils.safestring import SafeString


class Labelled(NamedTuple):
    """A state and its word: unfold colours the first and shows the second; elsewhere it is the word alone."""

    state: str
    word: str

    def __str__(self) -> str:
        return self.word


def score_bar(score: float) -> SafeString:
    shown = number_format(score, decimal_pos=2)
    return format_html(
        '<span class="afn-score"><progress max="1" value="{}" aria-hidden="true"></progress> {}</span>',
        str(score),
        shown,
    )


def chips(texts: Iterable[object]) -> SafeString:
    """Tags as they are: unfold's labels are in capitals, and tags are case-sensitive."""
    return format_html_join(" ", '<span class="afn-tag">{}</span>', ((text,) for text in texts))


def short_time(moment: datetime | None) -> str:
    """To the minute, in the site's time zone, as the reader's language writes it."""
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT") if moment else "–"


def count(number: int) -> str:
    """With the separators of the reader's language."""
    return number_format(number, decimal_pos=0, force_grouping=True)


def duration(seconds: float) -> str:
    """Such as 0.4 s, 30 s, 5 min or 2 h 5 min."""
    if seconds < 60:
        places = 0 if seconds == int(seconds) else 1
        return gettext("%(seconds)s s") % {"seconds": number_format(seconds, decimal_pos=places)}
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if rest:
        return gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return gettext("%(minutes)s min") % {"minutes": minutes}


def link(url: str, text: object) -> SafeString:
    return format_html('<a class="text-link" href="{}">{}</a>', url, text)
