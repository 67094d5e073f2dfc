"""Files into rows: what is in them arrives unchanged, what is wrong is told with its line."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from prompts.exchange.import_files import ImportFileError, ImportRow, Refusal, read_rows

CSV = "title,content\n"


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(name: str, content: str | bytes) -> list[ImportRow | Refusal]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read_rows(path))

    return read


def as_csv(*rows: list[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


CONTENTS = [
    "x" * 200_000,
    'He said "no", twice\nand left',
    "vertical\x0btab, form\x0cfeed, \x1c\x1d\x1e\x85\u2028\u2029 separators",
    "要約 😀 é",
    "  kept  ",
    ",",
    "\ufeffinside",
]


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "ndjson", "json", "CSV"])
def test_content_arrives_unchanged(read: Any, suffix: str, content: str) -> None:
    record = {"title": "T", "content": content}
    text = {
        "csv": as_csv(["title", "content"], ["T", content]),
        "json": json.dumps([record], ensure_ascii=False),
    }.get(suffix.lower(), json.dumps(record, ensure_ascii=False) + "\n")
    assert [(row.title, row.content) for row in read(f"f.{suffix}", text)] == [("T", content)]


def test_separators_that_only_unicode_knows_end_no_row(read: Any) -> None:
    rows = read("f.csv", CSV + "a,one\u2028two\x85three\nb,four\n")
    assert [(row.line, row.content) for row in rows] == [(2, "one\u2028two\x85three"), (3, "four")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_line_is_one(read: Any, end: str) -> None:
    rows = read("f.csv", end.join(["title,content", "a,A", 'b,"B', 'B"', ""]))
    assert [(row.title, row.content) for row in rows] == [("a", "A"), ("b", "B\nB")]


def test_columns_and_values_of_every_field(read: Any) -> None:
    header = [
        "act",
        "prompt",
        "name",
        "folder",
        "language",
        "tags",
        "status",
        "metadata",
        "for_devs",
        "empty",
    ]
    cells = ["T", "C", "n/m", "f", "ja", "a, b ,,c", "draft", '{"x": 1}', "TRUE", ""]
    [row] = read("f.csv", as_csv(header, cells))
    assert row == ImportRow(
        line=2,
        title="T",
        content="C",
        name="n/m",
        folder="f",
        language="ja",
        status="draft",
        tags=["a", "b", "c"],
        metadata={"for_devs": "TRUE", "x": 1},
    )


def test_json_takes_a_list_or_an_object_with_one(read: Any) -> None:
    record = {"title": "T", "text": "C", "tags": ["a"], "extra": {"deep": [1]}}
    for document in ([record], {"prompts": [record], "exported_at": "2026"}):
        [row] = read("f.json", json.dumps(document))
        assert (row.line, row.content, row.tags, row.metadata) == (1, "C", ["a"], {"extra": {"deep": [1]}})


def test_a_byte_order_mark_is_no_content(read: Any) -> None:
    mark = b"\xef\xbb\xbf"
    assert read("f.csv", mark + b"title,content\na,b\n")[0].title == "a"
    assert read("f.jsonl", mark + b'{"title": "a", "content": "b"}')[0].title == "a"
    assert read("f.json", mark + b'[{"title": "a", "content": "b"}]')[0].title == "a"


def test_empty_lines_are_skipped_and_counted(read: Any) -> None:
    assert [row.line for row in read("f.csv", CSV + "\n\na,A\n\nb,B\n\n")] == [4, 6]
    line = '{"title": "a", "content": "b"}'
    assert [row.line for row in read("f.jsonl", f"\n{line}\n  \n{line}\n")] == [2, 4]


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
FILES = [
    ("f.csv", PNG, "expected UTF-8 text, got byte 0x89 at position 0"),
    ("f.jsonl", PNG, "expected UTF-8"),
    ("f.json", PNG, "expected UTF-8"),
    ("f.csv", "title,content\na,é\n".encode("utf-16"), "expected UTF-8 text, got byte 0xff"),
    ("f.csv", "title,content\na,b\n".encode("utf-16-le"), "expected CSV with a column title or act"),
    ("f.jsonl", '{"title":"a","content":"b"}'.encode("utf-16-le"), "expected one JSON object a line"),
    ("f.csv", "title,content\na,é\n".encode("latin-1"), "got byte 0xe9 at position 16"),
    (
        "f.csv",
        b"",
        "expected CSV with a column title or act and a column content or prompt or text, got nothing",
    ),
    ("f.jsonl", b"", "expected one JSON object a line, got nothing"),
    ("f.jsonl", b"\n \n", "expected one JSON object a line, got nothing"),
    ("f.json", b"", "expected JSON"),
    (
        "f.jsonl",
        b"title,content\na,b\nc,d\n",
        "expected one JSON object a line, got 'title,content' in line 1",
    ),
    ("f.jsonl", b'[{"title": "a", "content": "b"}]', "expected one JSON object a line"),
    (
        "f.jsonl",
        b'[\n  {\n    "title": "a",\n    "content": "b"\n  }\n]\n',
        "expected one JSON object a line",
    ),
    ("f.json", b"title,content\na,b\n", "expected JSON"),
    ("f.json", b'{"title": "a"}\n{"title": "b"}\n', "expected JSON"),
    ("f.json", b'{"title": "a", "content": "b"}', "expected a list of objects"),
    ("f.json", b'"text"', "expected a list of objects"),
    ("f.json", b'{"prompts": {}}', "expected a list of objects"),
    ("f.json", b'[{"title": NaN}]', "expected a finite number, got NaN"),
    ("f.json", b'[{"title": "a", "content": "b", "x": 1e999}]', "expected a finite number, got 1e999"),
    ("f.json", b"[" * 100_000, "nested too deeply"),
    ("f.csv", b'[{"title": "a", "content": "b"}]', "expected CSV with a column"),
    ("f.csv", b"a,b\nc,d\n", "got a, b"),
    ("f.csv", b"title\na\n", "got title"),
    ("f.csv", b'"title,content\na,b\n', "first line"),
    ("f.csv", b"title,content,content\na,b,c\n", "expected columns that occur once, got content twice"),
    ("f.txt", b"title,content\na,b\n", "expected a file ending in .csv, .jsonl, .ndjson, .json"),
    ("f", b"title,content\na,b\n", "expected a file ending in"),
]


@pytest.mark.parametrize(("name", "content", "message"), FILES)
def test_a_file_that_is_not_what_its_name_says(read: Any, name: str, content: bytes, message: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        read(name, content)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["missing.csv", "folder.csv", "missing/f.json"])
def test_a_file_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ImportFileError, match=r"cannot be read: (No such file|Is a directory)"):
        list(read_rows(tmp_path / name))


ROWS = [
    ("a\n", Refusal(2, "row", "2 fields", "1 fields")),
    ("a,b,c\n", Refusal(2, "row", "2 fields", "3 fields")),
    ('a,"b" c\n', Refusal(2, "row", "a CSV row", "',' expected after '\"'")),
]


@pytest.mark.parametrize(("row", "refusal"), ROWS)
def test_a_wrong_csv_row_is_refused_and_the_next_read(read: Any, row: str, refusal: Refusal) -> None:
    found = read("f.csv", CSV + row + "good,one\n")
    assert found[0] == refusal
    assert [(one.line, one.title) for one in found[1:]] == [(3, "good")]


def test_an_unbalanced_quote_is_refused_where_it_opens(read: Any) -> None:
    first, refusal = read("f.csv", CSV + 'a,A\nb,"never closed\nc,C\n')
    assert first.title == "a"
    assert refusal == Refusal(3, "row", "a CSV row", "unexpected end of data")


def test_a_field_may_not_fill_the_memory(read: Any) -> None:
    [refusal, row] = read("f.csv", CSV + "a," + "x" * (16 * 1024 * 1024 + 1) + "\nb,B\n")
    assert refusal.got == "field larger than field limit (16777216)"
    assert row.title == "b"


LINES = [
    ("{", "a JSON object"),
    ("[1]", "a JSON object"),
    ("null", "a JSON object"),
    ('"text"', "a JSON object"),
    ('{"title": "a", "content": NaN}', "a JSON object"),
    ('{"title": "a", "content": "b", "x": -Infinity}', "a JSON object"),
    ('{"title": "a", "content": "b", "metadata": {"x": 1e999}}', "a JSON object"),
    ("[" * 5_000, "a JSON object"),
    ("9" * 5_000, "a JSON object"),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
@pytest.mark.parametrize("comes_first", [True, False])
def test_a_wrong_json_line_is_refused_wherever_it_stands(
    read: Any, line: str, expected: str, comes_first: bool
) -> None:
    good = '{"title": "a", "content": "b"}'
    found = read("f.jsonl", "\n".join([line, good] if comes_first else [good, line]))
    [refusal] = [row for row in found if isinstance(row, Refusal)]
    assert (refusal.line, refusal.field, refusal.expected) == (1 if comes_first else 2, "row", expected)
    assert len(refusal.got) <= 80


FIELDS = [
    ({"title": None}, "title", "text", "nothing"),
    ({"title": 5}, "title", "text", "int"),
    ({"content": ["x"]}, "content", "text", "list"),
    ({"name": 5}, "name", "text", "int"),
    ({"folder": {"a": 1}}, "folder", "text", "dict"),
    ({"status": "published"}, "status", "draft or active or archived", "published"),
    ({"status": "Active"}, "status", "draft or active or archived", "Active"),
    ({"tags": 5}, "tags", "a list of texts", "int"),
    ({"metadata": [1]}, "metadata", "a JSON object", "list"),
    ({"metadata": "[1]"}, "metadata", "a JSON object", "list"),
    ({"metadata": "{x"}, "metadata", "a JSON object", "{x"),
]


@pytest.mark.parametrize(("values", "field", "expected", "got"), FIELDS)
def test_a_wrong_field_is_named(
    read: Any, values: dict[str, Any], field: str, expected: str, got: str
) -> None:
    record = {"title": "T", "content": "C"} | values
    assert read("f.json", json.dumps([record])) == [Refusal(1, field, expected, got)]


@pytest.mark.parametrize("record", [1, None, "x", []])
def test_what_is_no_object_is_refused(read: Any, record: Any) -> None:
    good = {"title": "T", "content": "C"}
    refusal, row = read("f.json", json.dumps([record, good]))
    assert (refusal.field, refusal.expected, refusal.got) == ("row", "a JSON object", type(record).__name__)
    assert row.line == 2


@pytest.mark.parametrize("missing", ["title", "content"])
def test_what_is_missing_is_named(read: Any, missing: str) -> None:
    record = {"title": "T", "content": "C"}
    del record[missing]
    assert read("f.jsonl", json.dumps(record)) == [Refusal(1, missing, "text", "nothing")]
