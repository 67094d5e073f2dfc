"""`X_FILE` in place of `X`: a secret in a file of its own, as Docker and Kubernetes hand them over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .secure_env.files import as_text, read_limited
from .secure_env.problems import SecretProblem

SUFFIX: Final = "_FILE"
MOST: Final = 64_000  # bytes


@dataclass
class Resolved:
    """The variables with their values, and which of them came from files; what is wrong."""

    values: dict[str, str] = field(default_factory=dict)
    from_files: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def resolve(
    layers: Sequence[Mapping[str, str | None]], secret_names: Iterable[str], folder: Path
) -> Resolved:
    """Put layers on each other, the last one on top, each with X or X_FILE of a secret; names in upper case.

    Empty values count as none. A relative path starts at `folder`.
    """
    filled = [{name.upper(): value for name, value in layer.items() if value} for layer in layers]
    found = Resolved()
    for layer in filled:
        found.values |= layer
    for name in secret_names:
        _resolve_one(name, filled, folder, found)
    return found


def _resolve_one(name: str, layers: Sequence[Mapping[str, str]], folder: Path, found: Resolved) -> None:
    variable = name + SUFFIX
    if any(name in layer and variable in layer for layer in layers):
        found.problems.append(f"{name}: expected either it or {variable}, got both.")
        return
    top = next((layer for layer in reversed(layers) if name in layer or variable in layer), None)
    if top is None or name in top:
        return
    found.from_files.add(name)
    try:
        found.values[name] = read_secret(folder / top[variable], _label(variable, top[variable], folder))
    except SecretProblem as error:
        found.values.pop(name, None)
        found.problems.append(str(error))


def read_secret(path: Path, name: str) -> str:
    """The text of a file without the line break at its end. Raises ``SecretProblem``, without content."""
    text = as_text(read_limited(path, MOST, name), name)
    text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    if not text:
        raise SecretProblem(f"{name}: expected a file with the value, got an empty one.")
    return text


def _label(variable: str, path: str, folder: Path) -> str:
    """The variable with its path, unless that may be the secret itself, written where its path belongs."""
    whole = folder / path
    try:
        is_path = path.startswith("/") or whole.exists() or ("/" in path and whole.parent.is_dir())
    except (OSError, ValueError):
        is_path = False
    return f"{variable}={path}" if is_path else variable
