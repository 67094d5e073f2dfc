"""What a format of files is, and how a file is replaced as a whole."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from vectors.browsing import Page
from vectors.codec import Matrix
from vectors.errors import VectorError

_MINUS_ZERO: Final = 0x8000_0000
# The number of a row, from 1, and what it holds; or why it cannot be read.
Row = tuple[int, "object | VectorError"]


class Writer(Protocol):
    """Writes pages to files; `close` makes them whole."""

    def write(self, page: Page) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Format:
    """`count` and `read` raise OSError and InvalidFile; `files` are all that belong to a path.

    `open` takes the temporary names of `files`, the dimensions, and whether embeddings are written.
    """

    count: Callable[[Path], int]
    read: Callable[[Path], Iterator[Row]]
    files: Callable[[Path], list[Path]]
    open: Callable[[list[Path], int, bool], Writer]
    needs_vectors: bool = False


@contextmanager
def replacing(paths: list[Path]) -> Iterator[list[Path]]:
    """Names to write to, which take the place of `paths` at the end; where it fails, nothing has changed."""
    token = secrets.token_hex(4)
    unfinished = [path.with_name(f".{path.name}.{token}.tmp") for path in paths]
    try:
        yield unfinished
        for path in unfinished:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        for source, path in zip(unfinished, paths, strict=True):
            source.replace(path)
    finally:
        for path in unfinished:
            path.unlink(missing_ok=True)


def as_lines(page: Page, *, with_vectors: bool) -> Iterator[str]:
    """A page's items as lines of JSON, as an import takes them."""
    for at, item in enumerate(page.items):
        row = {"key": item.key, "title": item.title, "text": item.text, "metadata": item.metadata}
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        if with_vectors and page.vectors is not None:
            line = f'{line[:-1]},"vector":{_as_json(page.vectors[at])}}}'
        yield line + "\n"


def _as_json(vector: Matrix) -> str:
    """The numbers with nine digits, which is what float32 needs to be read back to the bit."""
    if (vector.view(np.uint32) == _MINUS_ZERO).any():  # "-0" would be read back as the integer 0
        return json.dumps(vector.tolist())
    # One format for all of them: ten times quicker than each for itself.
    return f"[{','.join(['%.9g'] * vector.size)}]" % tuple(vector.tolist())
