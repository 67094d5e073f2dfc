"""Parquet: columns key, text, title, metadata (JSON text) and, where wanted, vector (a list of float32).

Other programs may write metadata as a struct, and leave out title and metadata. Needs the package pyarrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from vectors.browsing import Page
from vectors.errors import InvalidFile, VectorError, shown
from vectors.files.base import Format, Row
from vectors.jsonl import parse_line

_BATCH: Final = 500
_COLUMNS: Final = ("key", "text", "title", "metadata", "vector")


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        hint = "Install it with: pip install pyarrow"
        raise InvalidFile(
            "file", "the package pyarrow, which reads and writes Parquet", "none", hint
        ) from error
    return pyarrow


def _opened(path: Path) -> Any:
    arrow = _pyarrow()
    with path.open("rb"):  # an OSError of Python's own where there is no such file
        pass
    try:
        file = arrow.parquet.ParquetFile(path)
    except arrow.ArrowException as error:
        raise InvalidFile("file", f"{path.name} to be Parquet", "something else") from error
    names = file.schema_arrow.names
    if missing := [name for name in ("key", "text") if name not in names]:
        raise InvalidFile("file", "the columns key and text", f"no {missing[0]}")
    if unknown := [name for name in names if name not in _COLUMNS]:
        raise InvalidFile("file", f"the columns {', '.join(_COLUMNS)}", shown(unknown[0]))
    if len(set(names)) < len(names):
        raise InvalidFile("file", "one column of each name", f"{len(names)} columns {', '.join(names)}")
    if "vector" in names and not _is_list(arrow, kind := file.schema_arrow.field("vector").type):
        raise InvalidFile("file", "lists of numbers in the column vector", str(kind))
    return file


def _is_list(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    found = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(found or types.is_null(kind))


def count(path: Path) -> int:
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def read(path: Path) -> Iterator[Row]:
    """The rows; null is a value left out."""
    arrow = _pyarrow()
    number = 0
    with _opened(path) as file:
        try:
            for batch in file.iter_batches(batch_size=_BATCH):
                columns = {name: _column(batch, name, number) for name in batch.schema.names}
                for values in zip(*columns.values(), strict=True):
                    number += 1
                    row = {
                        name: value for name, value in zip(columns, values, strict=True) if value is not None
                    }
                    yield number, _with_metadata(row)
        except (arrow.ArrowException, OSError) as error:  # OSError: pages that cannot be unpacked
            raise InvalidFile("file", f"{path.name} to be whole", f"an error after row {number:,}") from error


def _column(batch: Any, name: str, before: int) -> list[Any]:
    """The values of a column in Python; `before` are the rows before the batch."""
    column = batch.column(name)
    try:
        return _vectors(column) if name == "vector" else list(column.to_pylist())
    except (ValueError, OverflowError) as error:  # text that is not UTF-8, times out of Python's range
        got = f"others in rows {before + 1:,} to {before + len(column):,}"
        raise InvalidFile("file", f"values in the column {name} that can be read", got) from error


def _vectors(column: Any) -> list[Any]:
    """Each row as an array of its own: much less than lists of Python's numbers."""
    return [
        row.values.to_numpy(zero_copy_only=False).copy() if row.is_valid and row.values is not None else None
        for row in column
    ]


def _with_metadata(row: dict[str, Any]) -> object | VectorError:
    metadata = row.get("metadata")
    if isinstance(metadata, str):
        try:
            row["metadata"] = parse_line(metadata)
        except VectorError as error:
            return type(error)("metadata", error.expected, error.got)
    elif isinstance(metadata, Mapping):  # a struct has all members in all rows
        row["metadata"] = {name: value for name, value in metadata.items() if value is not None}
    return row


class Writer:
    def __init__(self, paths: list[Path], dimensions: int, with_vectors: bool) -> None:
        self._arrow = arrow = _pyarrow()
        fields = [(name, arrow.string()) for name in _COLUMNS[:4]]
        if with_vectors:
            fields.append(("vector", arrow.list_(arrow.float32(), dimensions)))
        self._schema = arrow.schema(fields)
        self._dimensions = dimensions
        self._file = arrow.parquet.ParquetWriter(paths[0], self._schema, compression="zstd")

    def write(self, page: Page) -> None:
        arrow = self._arrow
        items = page.items
        metadata = [json.dumps(item.metadata, ensure_ascii=False, separators=(",", ":")) for item in items]
        columns = [
            arrow.array([item.key for item in items], arrow.string()),
            arrow.array([item.text for item in items], arrow.string()),
            arrow.array([item.title for item in items], arrow.string()),
            arrow.array(metadata, arrow.string()),
        ]
        if len(self._schema) > len(columns):
            numbers = arrow.array([] if page.vectors is None else page.vectors.reshape(-1), arrow.float32())
            columns.append(arrow.FixedSizeListArray.from_arrays(numbers, self._dimensions))
        if items:
            self._file.write_batch(arrow.record_batch(columns, schema=self._schema))

    def close(self) -> None:
        self._file.close()


FORMAT: Final = Format(count, read, lambda path: [path], Writer)
