"""Prompts that are offered: drafts and active ones. An archived one is out of use, and not listed."""

import base64
import binascii
from typing import Final

from django.db import router

from vectors.rows import execute

from ..composition import Composition
from ..errors import NotThere, RegistryProblem
from ..models import Prompt, Status
from ..rendering.names import check_text
from ..serving import reading
from ..serving.reading import Served, TemplateProblem, Unresolvable
from ..validators import MAX_NAME_LENGTH

PAGE: Final = 100
OFFERED: Final = (Status.DRAFT.value, Status.ACTIVE.value)
_SQL: Final = (
    f"{reading.ALL_NEWEST} WHERE p.deleted_at IS NULL AND p.status IN (%s, %s) AND p.name > %s "
    "ORDER BY p.name LIMIT %s"
)


def page(cursor: str | None) -> tuple[list[Served], str | None]:
    """Prompts by name in their newest versions, and the cursor of the next page, None after the last.

    Pages begin behind a name, so that nothing is left out or comes twice while others write.
    """
    after = _read_cursor(cursor) if cursor else ""
    rows = execute(router.db_for_write(Prompt), (_SQL, [*OFFERED, after, PAGE + 1]))
    found = [reading.served_from(row) for row in rows[:PAGE]]
    return found, _cursor(found[-1].name) if len(rows) > PAGE else None


def names_with(text: str, limit: int) -> list[str]:
    """Up to so many names: those that begin with the text, then those that have it somewhere; in any case."""
    text = check_text(text, "argument.value", MAX_NAME_LENGTH)
    rows = Prompt.objects.filter(status__in=OFFERED).order_by("name").values_list("name", flat=True)
    first = list(rows.filter(name__istartswith=text)[:limit])
    within = rows.filter(name__icontains=text).exclude(name__istartswith=text)
    return first + list(within[: limit - len(first)])


def find(name: str) -> Served:
    """The newest version of an offered prompt. Raises ``NotThere``."""
    served = reading.read(check_text(name, "name", MAX_NAME_LENGTH))
    if served.status not in OFFERED:
        raise NotThere("name", "the name of a prompt in use", f"an archived one, {served.name}")
    return served


def composed(served: Served) -> Composition | None:
    """With all that it includes; None where it could not be rendered, which must not hide all others."""
    try:
        composition = served.compose()
        _ = composition.template.signature, composition.template.placeholders
    except (Unresolvable, TemplateProblem):
        return None
    return composition


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return check_text(base64.b64decode(padded, b"-_", validate=True).decode(), "cursor", MAX_NAME_LENGTH)
    except (binascii.Error, ValueError, TemplateProblem):
        raise RegistryProblem("cursor", "a cursor of an earlier page", "another text") from None
