"""What `secure_env` says of the text of a `.env`: its names, and what AFN would not take. Never a value."""

from typing import Final

from .env import REFUSED, Env, find_problems, secret_names
from .secret_files import SUFFIX
from .secure_env.keys import KEY
from .secure_env.texts import read_names

NO_VARIABLE: Final = "expected NAME=value with a name in capitals; a value of several lines needs quotes"


def known_names() -> frozenset[str]:
    """Every variable that AFN reads or refuses."""
    names = [name.upper() for name in Env.model_fields]
    return frozenset([*names, *(name + SUFFIX for name in secret_names()), *REFUSED])


def find_text_problems(old: str, new: str) -> list[str]:
    """Lines that are no variables, unknown names that `old` does not have, and values that AFN refuses."""
    known = known_names()
    names = read_names(new, known)
    expected = {*read_names(old, known).shown, *known, KEY}
    problems = [f"Line {line}: {NO_VARIABLE}." for line in names.lines]
    if KEY in names.shown:
        problems.append(f"{KEY}: cannot lie in the file that it opens.")
    problems += [f"{name}: AFN has no such variable." for name in names.shown if name not in expected]
    return [*problems, *find_problems(new)]
