"""Items of a dataset as text: JSON Lines as the API takes them, or CSV with variables as columns."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import transaction

from ..exchange.json_lines import parse_json
from ..exchange.problems import Refusal, WrongValue, shown, values_within
from ..models import Dataset
from ..rendering.signature import MAX_VARIABLES
from .datasets import MAX_ITEMS, put_items

_MEMBERS: Final = ("key", "variables", "placeholders", "expected", "metadata")
_OBJECTS: Final = ("variables", "placeholders", "metadata")
_OF_AFN: Final = ("key", "expected")  # columns that are no variables
_SEPARATORS: Final = ",\t;"  # cells that are copied from a sheet come with tabs
_AT: Final = re.compile(r"items\[(\d+)\]\.(.+)", re.DOTALL)
_DIGITS: Final = 4  # of numbered keys, so that they are in order as texts

Lines = list[tuple[int, dict[str, Any]]]


class WrongItems(Exception):
    """What is wrong with a line; nothing of the text is taken."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal)


def put_text(dataset: Dataset, text: str) -> dict[str, int]:
    """As `put_items`, all or none. Items without a key are numbered, and replace none that is there.

    Raises ``WrongItems``.
    """
    lines = read(text)
    rows = [row for _line, row in lines]
    with transaction.atomic():
        _number(dataset, rows)
        try:
            with values_within():
                return put_items(dataset, rows)
        except WrongValue as wrong:
            raise WrongItems(_located(wrong, lines)) from wrong


def read(text: str) -> Lines:
    """Items as `put_items` takes them, but for missing keys, with their lines. Raises ``WrongItems``."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    begin = text.lstrip()[:1]
    if begin == "[":
        raise WrongItems(Refusal(1, "items", "a JSON object a line, or CSV", "a JSON list"))
    found: Lines = []
    for line, row in _json_lines(text) if begin == "{" else _csv(text):
        if len(found) == MAX_ITEMS:
            raise WrongItems(Refusal(line, "items", f"at most {MAX_ITEMS:,} items at a time", "more"))
        found.append((line, row))
    if not found:
        raise WrongItems(Refusal(1, "items", "an item at least", "none"))
    return found


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, _row(parse_json(line))
        except WrongValue as wrong:
            raise WrongItems(wrong.at(number)) from wrong
        except ValueError as error:
            got = str(error) if "twice" in str(error) else line.strip()[:80]
            raise WrongItems(Refusal(number, "item", "a JSON object in one line", got)) from error


def _row(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongValue("item", "a JSON object", type(value).__name__)
    for name, member in value.items():
        if name not in _MEMBERS:
            raise WrongValue(name[:64], f"one of {', '.join(_MEMBERS)}", "another member")
        if name in _OBJECTS and not isinstance(member, dict):
            raise WrongValue(name, "a JSON object", shown(member))
        if name == "key" and not isinstance(member, str):
            raise WrongValue(name, "a text", shown(member))
    return value


def _csv(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    first = text.lstrip("\n").partition("\n")[0]
    separator = next((one for one in _SEPARATORS if one in first), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: list[str] = []
    line = 1
    try:
        for cells in reader:
            if any(cells) and not columns:
                columns = _columns(cells, line)
            elif any(cells):
                if len(cells) != len(columns):
                    raise WrongItems(Refusal(line, "row", _cells(len(columns)), _cells(len(cells))))
                yield line, _from_cells(dict(zip(columns, cells, strict=True)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise WrongItems(Refusal(line, "row", "a row of CSV", str(error))) from error


def _columns(cells: list[str], line: int) -> list[str]:
    if len(cells) > MAX_VARIABLES + len(_OF_AFN):
        raise WrongItems(Refusal(line, "columns", f"at most {MAX_VARIABLES} variables", f"{len(cells):,}"))
    names = [cell.strip() for cell in cells]
    names = [name.lower() if name.lower() in _OF_AFN else name for name in names]
    for at, name in enumerate(names, start=1):
        if not name:
            raise WrongItems(
                Refusal(line, f"column {at}", "the name of a variable, key or expected", "nothing")
            )
        if names.count(name) > 1:
            raise WrongItems(Refusal(line, name[:64], "columns that occur once", "it twice"))
    return names


def _from_cells(cells: dict[str, str]) -> dict[str, Any]:
    """An empty key is numbered, and where `expected` is empty, nothing is known."""
    variables = {name: cell for name, cell in cells.items() if name not in _OF_AFN}
    own = {name: cells[name] for name in _OF_AFN if cells.get(name)}
    return {"variables": variables, **own}


def _cells(number: int) -> str:
    return f"{number:,} cell" if number == 1 else f"{number:,} cells"


def _number(dataset: Dataset, rows: Sequence[dict[str, Any]]) -> None:
    """On after what there is, past keys that are taken."""
    open_rows = [row for row in rows if "key" not in row]
    if not open_rows:
        return
    given = {row["key"] for row in rows if "key" in row}
    free: list[str] = []
    begin = dataset.items.count() + 1
    while len(free) < len(open_rows):
        keys = [f"{number:0{_DIGITS}}" for number in range(begin, begin + len(open_rows))]
        taken = given | set(dataset.items.filter(key__in=keys).values_list("key", flat=True))
        free += [key for key in keys if key not in taken]
        begin += len(keys)
    for row, key in zip(open_rows, free, strict=False):
        row["key"] = key


def _located(wrong: WrongValue, lines: Lines) -> Refusal:
    """Which line `put_items` means."""
    if found := _AT.fullmatch(wrong.field):
        return Refusal(lines[int(found[1])][0], found[2], wrong.expected, wrong.got)
    return wrong.at(lines[0][0])
