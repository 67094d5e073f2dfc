"""What is wrong with a file, or with a row of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from ..errors import RegistryProblem
from ..rendering.errors import TemplateProblem


class ImportFileError(Exception):
    """The file as a whole cannot be read; the text says what was expected and what came."""


@dataclass(frozen=True)
class Refusal:
    """Why a row is not imported. ``line`` counts from 1; in a JSON file it is the number of the object, in a
    folder that of the file.
    """

    line: int
    field: str
    expected: str
    got: str


class WrongValue(Exception):
    """A value of a row that cannot be taken: the field at fault, what was expected and what came."""

    def __init__(self, field: str, expected: str, got: str) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(field, expected, got)

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, got {self.got}."

    def at(self, line: int) -> Refusal:
        return Refusal(line, self.field, self.expected, self.got)


@contextmanager
def values_within(field: str = "") -> Iterator[None]:
    """What the registry says is wrong with a value, as ``WrongValue``; its field is below `field`."""
    before = f"{field}." if field else ""
    try:
        yield
    except ValidationError as error:
        name, text = _first(error)
        expected, _, got = text.removeprefix("Expected ").rstrip(".").partition(", got ")
        raise WrongValue((before + name).rstrip("."), expected, got or "something else") from error
    except (RegistryProblem, TemplateProblem) as problem:
        raise WrongValue(before + problem.field, problem.expected, problem.got) from problem


def shown(value: Any) -> str:
    """A value in an error: short, and never a wall of text."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value)[:80]


def _first(error: ValidationError) -> tuple[str, str]:
    if not hasattr(error, "error_dict"):
        return "", error.messages[0]
    name, errors = next(iter(error.error_dict.items()))
    if errors[0].code in ("blank", "null", "no_text"):
        return name, "Expected some text, got none."
    return ("" if name == "__all__" else name), str(errors[0].messages[0])
