"""Unfold makes the headers of a list anew for each of its rows, which takes most of a page's time.

They are the same for all of them: this has them made once for each list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from unfold.templatetags import unfold_list

Headers = Callable[[Any], Iterator[dict[str, Any]]]
_NAME = "afn_headers"


def install() -> None:
    made: Headers = unfold_list.result_headers
    if not hasattr(made, "__wrapped__"):
        unfold_list.result_headers = once_a_list(made)


def once_a_list(make: Headers) -> Headers:
    @wraps(make)
    def headers(changelist: Any) -> Iterator[dict[str, Any]]:
        if _NAME not in vars(changelist):
            setattr(changelist, _NAME, list(make(changelist)))
        return iter(getattr(changelist, _NAME))

    return headers
