"""JSON Lines: {"key", "text", "title", "metadata", "vector"?} a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vectors.browsing import Page
from vectors.errors import VectorError
from vectors.files.base import Format, Row, as_lines
from vectors.jsonl import parse_line, read_lines


def count(path: Path) -> int:
    return sum(1 for _ in read_lines(path))


def read(path: Path) -> Iterator[Row]:
    """The values of the lines, or why they have none."""
    for number, line in read_lines(path):
        yield number, parsed(line)


def parsed(line: str) -> object | VectorError:
    """The value of a line, or the error."""
    try:
        return parse_line(line)
    except VectorError as error:
        return error


class Writer:
    def __init__(self, paths: list[Path], dimensions: int, with_vectors: bool) -> None:
        self._file = paths[0].open("w", encoding="utf-8", newline="\n")
        self._with_vectors = with_vectors

    def write(self, page: Page) -> None:
        self._file.writelines(as_lines(page, with_vectors=self._with_vectors))

    def close(self) -> None:
        self._file.close()


FORMAT: Final = Format(count, read, lambda path: [path], Writer)
