"""What pages of versions and differences have in common."""

from typing import Any

from django.http import HttpRequest

from .. import diffs
from ..models import Prompt, PromptVersion

# More are not offered to be chosen from; a number is typed then.
OFFERED = 100
ONE_COLUMN = "one"


def offered(prompt: Prompt) -> list[PromptVersion]:
    """The newest versions, to be chosen from."""
    listed = prompt.versions.kept().defer("content", "config", "variables")
    return list(listed.order_by("-version")[:OFFERED])


def number_of(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default


def differences(request: HttpRequest, old: str, new: str) -> dict[str, Any]:
    """What ``diff_rows.html`` shows of two texts, as the address asks for it."""
    diff = diffs.compare(old, new)
    changed = [row for row in diff.rows if not row.is_equal]
    everything = "all" in request.GET
    return {
        "diff": diff,
        "rows": diffs.fold(diff.rows, len(diff.rows) if everything else 3),
        "everything": everything,
        "is_one_column": request.GET.get("view") == ONE_COLUMN,
        "is_same": old == new,
        "removed": sum(row.old_number is not None for row in changed),
        "added": sum(row.new_number is not None for row in changed),
    }
