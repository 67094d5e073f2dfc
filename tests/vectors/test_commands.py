"""The commands: files in, figures out, and a line number for every complaint."""

import io
import json
import re
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from afn_project.env import BASE_DIR
from tests.processes import clean_environment, manage
from vectors import store
from vectors.errors import CollectionNotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(tmp_path):
    def write(*lines: object) -> str:
        path = tmp_path / "file.jsonl"
        path.write_bytes(
            b"\n".join(
                line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode()
                for line in lines
            )
        )
        return str(path)

    return write


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def row(key: str, text: str = "some text", **more: object) -> dict[str, object]:
    return {"key": key, "text": text, **more}


def test_it_imports_into_a_new_collection(write):
    path = write(row("a", "赤い狐", title="狐", metadata={"n": 1}), b"", row("b"))
    assert json.loads(run("import_items", "notes", path, "--json")) == {
        "collection": "notes",
        "inserted": 2,
        "updated": 0,
        "unchanged": 0,
        "refused": [],
    }
    found = store.get(store.get_collection("notes"), "a")
    assert (found.title, found.metadata) == ("狐", {"n": 1})


def test_importing_again_changes_nothing(write):
    path = write(row("a"), row("b"))
    run("import_items", "notes", path, "--json")
    assert "0 inserted, 0 updated, 2 unchanged, 0 refused" in run("import_items", "notes", path)


BAD = [
    (b"{not json", "line", "JSON"),
    (b'{"key": "x", "text": NaN}', "line", "JSON"),
    (b"\xff\xfe", "line", "UTF-8"),
    ([1], "item", "an object"),
    ({"key": "x", "text": "t", "colour": 1}, "item", "the members key, text, title, metadata and vector"),
    ({"key": "x", "text": "t", "vector": [1]}, "vector", "64 dimensions"),
    ({"key": "x", "text": "t", "vector": "x"}, "vector", "a list of numbers"),
    ({"key": "x", "text": "t", "vector": [True] * 64}, "vector", "numbers"),
    ({"key": "x"}, "text", "text of 1 to 1,000,000 characters"),
    ({"key": 5, "text": "t"}, "key", "text of 1 to 512 characters"),
    ({"key": "x", "text": "t", "metadata": []}, "metadata", "a JSON object"),
    ({"key": "good", "text": "again"}, "key", "a key not used before (line 1 has it)"),
]


@pytest.mark.parametrize(("bad", "field", "expected"), BAD)
def test_a_bad_line_is_reported_and_the_others_are_imported(write, bad, field, expected):
    path = write(row("good"), bad, row("last"))
    out, errors = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="1 lines were refused") as caught:
        call_command("import_items", "notes", path, "--json", stdout=out, stderr=errors)
    assert caught.value.returncode == 1
    (refusal,) = json.loads(out.getvalue())["refused"]
    assert (refusal["line"], refusal["field"], refusal["expected"]) == (2, field, expected)
    assert store.count(store.get_collection("notes")) == 2


def test_strict_writes_nothing_if_any_line_is_bad(write):
    with pytest.raises(CommandError, match="nothing was written"):
        run("import_items", "notes", write(row("a"), {}), "--strict")
    with pytest.raises(CollectionNotFound):
        store.get_collection("notes")


def test_complaints_are_readable_lines_too(write):
    errors = io.StringIO()
    with pytest.raises(CommandError):
        call_command(
            "import_items", "notes", write({"key": "x", "text": ""}), stdout=io.StringIO(), stderr=errors
        )
    assert "line 1: text: expected text of 1 to 1,000,000 characters, got 0 characters" in errors.getvalue()


def test_more_rows_than_a_batch_are_imported(write):
    path = write(*(row(f"k{n}", f"text {n}") for n in range(1_234)))
    assert json.loads(run("import_items", "notes", path, "--json"))["inserted"] == 1_234


@pytest.mark.parametrize("command", [["import_items", "notes"], ["evaluate_search", "notes", "--queries"]])
def test_a_missing_file_is_an_error_of_one_line(command, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run(*command, str(tmp_path / "nothing.jsonl"))


def test_a_bad_collection_name_is_an_error_of_one_line(write):
    with pytest.raises(CommandError, match="name: expected printable text"):
        run("import_items", "a/b", write(row("a")))


def test_it_evaluates(write, fill):
    fill("a red fox", "a blue whale")
    path = write(
        {"query": "red fox", "relevant": {"k0": 3}}, {"query": "whale", "relevant": {"k1": 1, "k7": 1}}
    )
    figures = json.loads(run("evaluate_search", "notes", "--queries", path, "--json"))
    assert figures == {
        "collection": "notes",
        "mode": "hybrid",
        "n": 2,
        "ndcg@10": figures["ndcg@10"],
        "mrr@10": 1.0,
        "recall@10": 0.75,
    }
    assert "mrr@10      1.0" in run("evaluate_search", "notes", "--queries", path, "--mode", "keyword")


def test_a_bad_judgement_stops_the_evaluation(write, fill):
    fill("x")
    path = write({"query": "x", "relevant": {"k0": 1}}, {"query": "x"})
    with pytest.raises(CommandError, match="line 2: line: expected"):
        run("evaluate_search", "notes", "--queries", path)


def test_an_unknown_collection_is_named(write):
    path = write({"query": "x", "relevant": {"k0": 1}})
    with pytest.raises(CommandError, match="'notes'"):
        run("evaluate_search", "notes", "--queries", path)


def test_any_collection_can_be_searched(write):
    run("import_items", "notes", write(row("a", "a red fox", metadata={"n": 1}), row("b", "a blue whale")))
    found = run("search_items", "notes", "fox", "--plan")
    assert found.startswith("1. a  distance 0.")
    assert "   a red fox\n2. b" in found
    assert "plan: strategy exact, scanned 2" in found
    result = json.loads(run("search_items", "notes", "fox", "--filter", '{"n": 1}', "--json"))
    assert [(hit["key"], hit["metadata"]) for hit in result["hits"]] == [("a", {"n": 1})]
    assert result["plan"]["exhaustive"]
    assert "Nothing matches." in run("search_items", "notes", "fox", "--filter", '{"n": 2}')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["notes", "fox", "--filter", "{"], "--filter is not JSON"),
        (["notes", "fox", "--filter", '{"n": {"like": 1}}'], "one of the operators"),
        (["notes", "fox", "--mode", "best"], "mode: expected hybrid, semantic, keyword, got 'best'"),
        (["notes", "fox", "-k", "0"], "k: expected an integer from 1 to 1,000, got 0"),
        (["notse", "fox"], "got 'notse'. There are: notes"),
    ],
)
def test_bad_searches_are_told_what_is_wrong(write, arguments, message):
    run("import_items", "notes", write(row("a")))
    with pytest.raises(CommandError, match=re.escape(message)):
        run("search_items", *arguments)


def test_refused_lines_are_shown_up_to_twenty(write):
    path = write(*({"key": f"k{at}"} for at in range(23)))
    err = io.StringIO()
    with pytest.raises(CommandError, match="23 lines were refused"):
        call_command("import_items", "notes", path, stdout=io.StringIO(), stderr=err)
    lines = [line for line in err.getvalue().splitlines() if line.startswith(("line", "…"))]
    assert (len(lines), lines[-1]) == (21, "… and 3 more; --json lists all.")


def test_dimensions_of_a_collection_that_is_there_are_compared(write):
    run("import_items", "own", write(row("a", vector=[1, 0, 0])), "--dimensions", "3")
    with pytest.raises(CommandError, match="dimensions: expected 3, as 'own' has, got 4"):
        run("import_items", "own", write(row("a", vector=[1, 0, 0])), "--dimensions", "4")


def test_a_reader_that_stops_reading_is_no_error(write):
    """As `| head` does."""
    code = (
        "import sys; from vectors.commands import Command\n"
        "class Long(Command):\n"
        "    def handle(self, **_):\n"
        "        while True: self.stdout.write('line')\n"
        "Long().run_from_argv(['manage.py', 'long'])\n"
    )
    script = f"import django; django.setup()\n{code}"
    environment = clean_environment(DJANGO_SETTINGS_MODULE="afn_project.settings", SECRET_KEY="k" * 50)
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=BASE_DIR,
    ) as process:
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_command_does_not_wait_for_the_api_to_be_read(tmp_path):
    database = str(tmp_path / "afn.db")

    done = manage("search_items", "none", "x", AFN_DATABASE_FILE=database, PYTHONPROFILEIMPORTTIME="1")

    assert "init_db" in done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "vectors.commands" in imported
    assert "afn_project.urls" not in imported
