"""What is exported is imported as it was; nothing else gets in, and no file is half written."""

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from django.core.management import CommandError, call_command

from tests.processes import MANAGE, clean_environment
from vectors import store
from vectors.errors import InvalidFile
from vectors.exporting import export_items
from vectors.files import FORMATS
from vectors.importing import import_items, import_lines
from vectors.search import search
from vectors.store import Item, UpsertResult

ROWS = [
    Item("a", "A red fox", "Fox", {"lang": "en", "tags": ["x", None], "n": 2**53 + 1}, [1, 0.1, 1e-20]),
    Item("b/c", "赤い\n狐 𠮷", metadata={"deep": {"er": [1, {"x": True}]}}, vector=[0, 1 / 3, -1]),
    Item("d", '"quoted",\u2028', vector=[-0.0, 1, 1e9]),
]


@pytest.fixture
def own(db: None):
    collection = store.create_collection("own", embedder="", dimensions=3)
    store.upsert(collection, ROWS)
    return collection


def everything(collection: Any) -> list[tuple[Any, ...]]:
    page = store.scroll(collection, with_vectors=True)
    return [
        (item.key, item.text, item.title, item.metadata, vector.tobytes())
        for item, vector in zip(page.items, page.vectors, strict=True)
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_a_round_trip_loses_nothing(own, name, tmp_path):
    path = tmp_path / f"items.{name}"
    report = export_items("own", path, with_vectors=True, quiet=True)
    assert report.items == 3
    assert {Path(file) for file in report.files} == set(tmp_path.iterdir())
    assert import_items("twin", path, dimensions=3, quiet=True).result == UpsertResult(inserted=3)
    assert everything(store.get_collection("twin")) == everything(own)
    assert import_items("own", path, quiet=True).result == UpsertResult(unchanged=3)


@pytest.mark.parametrize("name", ["jsonl", "parquet"])
@pytest.mark.django_db
def test_without_vectors_the_embedder_makes_them(fill, name, tmp_path):
    fill("a red fox", "a blue whale")
    path = tmp_path / f"items.{name}"
    export_items("notes", path, quiet=True)
    assert import_items("twin", path, quiet=True).result == UpsertResult(inserted=2)
    assert import_items("notes", path, quiet=True).result == UpsertResult(unchanged=2)
    assert everything(store.get_collection("twin")) == everything(store.get_collection("notes"))


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_collection_is_a_whole_file(name, tmp_path, db):
    store.create_collection("empty", embedder="", dimensions=3)
    path = tmp_path / f"items.{name}"
    assert export_items("empty", path, quiet=True).items == 0
    assert import_items("empty", path, quiet=True).result == UpsertResult()


def test_an_export_may_be_filtered(own, tmp_path):
    assert export_items("own", tmp_path / "x.jsonl", filter={"lang": "en"}, quiet=True).items == 1
    assert json.loads((tmp_path / "x.jsonl").read_text())["key"] == "a"


@pytest.mark.parametrize("name", FORMATS)
def test_a_failed_export_leaves_the_old_file(own, name, tmp_path, monkeypatch):
    path = tmp_path / f"items.{name}"
    export_items("own", path, quiet=True)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}

    def fail(*_: object, **__: object) -> Any:
        yield store.scroll(own, limit=1, with_vectors=True)
        raise OSError("No space left on device")

    monkeypatch.setattr("vectors.exporting.pages", fail)
    with pytest.raises(OSError, match="No space"):
        export_items("own", path, quiet=True)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_the_format_may_be_named(own, tmp_path):
    out = io.StringIO()
    call_command(
        "export_items",
        "own",
        str(tmp_path / "x.data"),
        "--format",
        "parquet",
        "--with-vectors",
        "--json",
        stdout=out,
    )
    assert json.loads(out.getvalue())["items"] == 3
    with pytest.raises(CommandError, match=r"expected a name ending in \.jsonl, \.parquet, \.npy"):
        call_command("import_items", "own", str(tmp_path / "x.data"))
    call_command("import_items", "own", str(tmp_path / "x.data"), "--format", "parquet", "--json", stdout=out)


@pytest.mark.parametrize("arguments", [["none", "x.jsonl"], ["own", "none/x.jsonl"], ["own", "x.csv"]])
def test_what_cannot_be_exported_is_one_line(own, arguments, tmp_path):
    with pytest.raises(CommandError):
        call_command("export_items", arguments[0], str(tmp_path / arguments[1]))
    for wrong in ("{", '{"a": []}', "[]"):
        with pytest.raises(CommandError):
            call_command("export_items", "own", str(tmp_path / "x.jsonl"), "--filter", wrong)
    assert list(tmp_path.iterdir()) == []


# -- arrays -----------------------------------------------------------------------------------------------


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("exploded"),))


def test_a_pickle_is_never_opened(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "x.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    (tmp_path / "x.jsonl").write_text('{"key": "k", "text": "t"}\n')
    with pytest.raises(InvalidFile):
        import_items("own", tmp_path / "x.npy", quiet=True)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "array",
    [
        np.ones(3, "<f4"),
        np.ones((1, 3, 1), "<f4"),
        np.ones((1, 0), "<f4"),
        np.ones((1, 3), "<i4"),
        np.ones((1, 3), "<c8"),
        np.array([["a", "b", "c"]]),
        np.asfortranarray(np.ones((2, 3), "<f4")),
        np.ones((2, 3), "<f4"),
    ],
)
def test_an_array_of_another_form_is_refused(own, array, tmp_path):
    np.save(tmp_path / "x.npy", array)
    (tmp_path / "x.jsonl").write_text('{"key": "k", "text": "t"}\n')
    with pytest.raises(InvalidFile):
        import_items("own", tmp_path / "x.npy", quiet=True)


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: data[:50], lambda data: b""]
)
def test_a_cut_array_is_refused(own, change, tmp_path):
    export_items("own", tmp_path / "x.npy", quiet=True)
    (tmp_path / "x.npy").write_bytes(change((tmp_path / "x.npy").read_bytes()))
    with pytest.raises(InvalidFile):
        import_items("own", tmp_path / "x.npy", quiet=True)


def test_numpy_reads_what_is_written_and_other_floats_are_read(own, tmp_path):
    export_items("own", tmp_path / "x.npy", quiet=True)
    matrix = np.load(tmp_path / "x.npy", allow_pickle=False)
    assert (matrix.dtype, matrix.shape) == (np.dtype("<f4"), (3, 3))
    for kind in ("<f2", "<f8", ">f4"):
        np.save(tmp_path / "x.npy", np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], kind))
        import_items("own", tmp_path / "x.npy", quiet=True)
        assert store.vectors_by_key(own, ["d"])["d"].tolist() == [0, 0, 1]


def test_a_bad_row_of_an_array_is_named(own, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, 0, 0], [np.nan, 0, 0], [0, 0, 0]], "<f4"))
    (tmp_path / "x.jsonl").write_text("\n".join(f'{{"key": "n{at}", "text": "t"}}' for at in range(3)))
    report = import_items("own", tmp_path / "x.npy", quiet=True)
    assert report.result == UpsertResult(inserted=1)
    assert [(one.line, one.field) for one in report.refused] == [(2, "vector"), (3, "vector")]


# -- Parquet ----------------------------------------------------------------------------------------------


def parquet(path: Path, **columns: Any) -> Path:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def test_tables_of_other_programs_are_read(own, tmp_path):
    path = parquet(
        tmp_path / "x.parquet",
        text=["one", "two"],
        key=["p1", "p2"],
        metadata=[{"lang": "en", "n": None}, None],
        vector=[[1.0, 0.0, 0.0], [0.0, 0.5, 0.0]],
    )
    assert import_items("own", path, quiet=True).result == UpsertResult(inserted=2)
    assert store.get(own, "p1").metadata == {"lang": "en"}
    assert store.vectors_by_key(own, ["p2"])["p2"].tolist() == [0, 0.5, 0]


def test_bad_rows_of_a_table_are_named(own, tmp_path):
    path = parquet(
        tmp_path / "x.parquet",
        key=["p1", None, "p3", "p4", "p5"],
        text=["one", "two", "three", "four", "five"],
        metadata=["{", "{}", "[]", "{}", '{"a": NaN}'],
        vector=[[1.0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0], [1, 0, 0]],
    )
    report = import_items("own", path, quiet=True)
    assert [(one.line, one.field) for one in report.refused] == [
        *((1, "metadata"), (2, "key"), (3, "metadata"), (4, "vector"), (5, "metadata")),
    ]


@pytest.mark.parametrize(
    "columns", [{"key": ["a"]}, {"text": ["a"]}, {"key": ["a"], "text": ["t"], "x": [1]}]
)
def test_a_table_of_other_columns_is_refused(own, columns, tmp_path):
    with pytest.raises(InvalidFile):
        import_items("own", parquet(tmp_path / "x.parquet", **columns), quiet=True)


@pytest.mark.parametrize("vectors", [["1, 2"], [1.5], [{"x": 1.0}], [b"1234"]])
def test_a_table_whose_vectors_are_no_lists_is_refused(own, vectors, tmp_path):
    with pytest.raises(InvalidFile, match="lists of numbers"):
        import_items(
            "own", parquet(tmp_path / "x.parquet", key=["a"], text=["t"], vector=vectors), quiet=True
        )


def test_a_table_with_a_column_twice_is_refused(own, tmp_path):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_arrays([pyarrow.array(["a"])] * 3, ["key", "key", "text"])
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(InvalidFile, match="one column of each name"):
        import_items("own", tmp_path / "x.parquet", quiet=True)


def test_a_column_that_python_cannot_hold_is_named(own, tmp_path):
    import pyarrow

    broken = pyarrow.Array.from_buffers(pyarrow.string(), 1, pyarrow.array([b"\xff"]).buffers())
    for column in (broken, pyarrow.array([2**62], pyarrow.timestamp("us"))):
        with pytest.raises(InvalidFile, match="column text"):
            import_items("own", parquet(tmp_path / "x.parquet", key=["a"], text=column), quiet=True)


def test_a_damaged_page_is_told(own, tmp_path):
    path = parquet(tmp_path / "x.parquet", key=["a"] * 500, text=["some text"] * 500)
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"\xff" * 60 + data[64:])
    with pytest.raises(InvalidFile, match="whole"):
        import_items("own", path, quiet=True)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"x" * 1_000])
def test_what_is_no_parquet_is_refused(own, data, tmp_path):
    (tmp_path / "x.parquet").write_bytes(data)
    with pytest.raises(InvalidFile, match="Parquet"):
        import_items("own", tmp_path / "x.parquet", quiet=True)


def test_without_pyarrow_it_says_how_to_get_it(own, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for call in (
        lambda: export_items("own", tmp_path / "x.parquet", quiet=True),
        lambda: import_items("own", tmp_path / "x.parquet", quiet=True),
    ):
        with pytest.raises(InvalidFile, match="pip install pyarrow"):
            call()
    assert list(tmp_path.iterdir()) == []


# -- lines ------------------------------------------------------------------------------------------------


def test_of_lines_with_one_key_the_last_counts(own):
    lines = [f'{{"key": "k", "text": "{text}", "vector": [1, 0, 0]}}' for text in ("one", "two", "three")]
    report = import_lines(own, enumerate([*lines, "{", "[]", "{}"], start=1), keep=2)
    assert (report.refusals, [one.line for one in report.refused]) == (3, [4, 5])
    assert store.get(own, "k").text == "three"


def test_strict_writes_nothing_of_a_file_with_a_wrong_vector(own, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"key": "k", "text": "t", "vector": [1, 0, 0]}\n{"key": "l", "text": "t", "vector": [1]}\n'
    )
    assert import_items("own", path, strict=True, quiet=True).refusals == 1
    assert store.count(own) == 3
    with pytest.raises(CommandError, match="nothing was written"):
        call_command(
            "import_items", "new", str(path), "--strict", "--dimensions", "3", "--json", stdout=io.StringIO()
        )
    assert not type(own).objects.filter(name="new").exists()


# -- processes --------------------------------------------------------------------------------------------


def arguments_for(alias: str) -> dict[str, str]:
    from django.db import connections

    return clean_environment(
        SECRET_KEY="k" * 50, AFN_DATABASE_FILE=str(connections[alias].settings_dict["NAME"])
    )


def array_of(tmp_path: Path, rows: int, dimensions: int) -> Path:
    rng = np.random.default_rng(7)
    np.save(tmp_path / "x.npy", rng.standard_normal((rows, dimensions)).astype("<f4"))
    with (tmp_path / "x.jsonl").open("w") as file:
        file.writelines(f'{{"key": "k{at}", "text": "text number {at}"}}\n' for at in range(rows))
    return tmp_path / "x.npy"


def test_an_import_that_was_killed_is_completed_by_another(file_database, tmp_path):
    rows = 12_000
    path = array_of(tmp_path, rows, 64)
    collection = store.create_collection("own", embedder="", dimensions=64, using=file_database)
    command = [*MANAGE, "import_items", "own", str(path), "--json"]
    process = subprocess.Popen(command, env=arguments_for(file_database), stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not store.count(collection) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    written = store.count(collection)
    assert 0 < written < rows
    assert written % 500 == 0
    done = subprocess.run(
        command, env=arguments_for(file_database), capture_output=True, text=True, check=True
    )
    figures = json.loads(done.stdout)
    assert (figures["inserted"], figures["unchanged"], figures["updated"]) == (rows - written, written, 0)
    assert store.count(collection) == rows
    assert sum(len(ids) for ids, _ in store.iterate_vectors(collection)) == rows
    for number in (0, written - 1, written, rows - 1):
        hits = search(collection, f"{number}", mode="keyword").hits
        assert [hit.key for hit in hits] == [f"k{number}"]


def peak_mb(command: list[str], environment: dict[str, str]) -> float:
    """The most memory that a command held, looked at every 20 ms, without what it mapped of files."""
    process = psutil.Popen([*MANAGE, *command], env=environment, stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            memory = process.memory_info()
            most = max(most, memory.rss - getattr(memory, "shared", 0))
        except psutil.Error:
            break
        time.sleep(0.02)
    assert process.wait() == 0
    return most / 2**20


def test_memory_does_not_grow_with_the_collection(file_database, tmp_path):
    environment = arguments_for(file_database)
    peaks = {}
    for rows in (2_000, 50_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        path = array_of(folder, rows, 384)
        name = f"own{rows}"
        peaks["import", rows] = peak_mb(
            ["import_items", name, str(path), "--dimensions", "384", "--json"], environment
        )
        for suffix in FORMATS:
            export = ["export_items", name, str(folder / f"out.{suffix}"), "--with-vectors", "--json"]
            peaks[suffix, rows] = peak_mb(export, environment)
    # The embeddings alone are 73 MB, and as JSON 300 MB. What an import keeps are the keys it met.
    grown = {what: round(peaks[what, 50_000] - peaks[what, 2_000]) for what, rows in peaks if rows == 2_000}
    assert max(grown.values()) < 60, grown
