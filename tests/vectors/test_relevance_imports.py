"""Files of judgements: three forms, all or none, and the line and member at fault."""

import json

import pytest

from vectors.relevance import importing
from vectors.relevance.errors import InvalidJudgement
from vectors.relevance.importing import export_judgements, import_judgements
from vectors.relevance.judging import judge
from vectors.relevance.models import Judgement

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="judged.jsonl", end=b"\n", start=b""):
        path = tmp_path / name
        raw = [
            line
            if isinstance(line, bytes)
            else line.encode()
            if isinstance(line, str)
            else json.dumps(line, ensure_ascii=False).encode()
            for line in lines
        ]
        path.write_bytes(start + end.join(raw))
        return path

    return write


def stored():
    return {(one.query, one.key): one.grade for one in Judgement.objects.all()}


def test_both_forms_of_json_lines(fill, write):
    notes = fill("a red fox", "a blue whale")
    path = write(
        {"query": "fox", "relevant": {"k0": 3, "k1": 0}}, "", {"query": "鯨", "key": "k1", "grade": 2}
    )
    report = import_judgements(notes, path, by="aoi", quiet=True)
    assert stored() == {("fox", "k0"): 3, ("fox", "k1"): 0, ("鯨", "k1"): 2}
    assert (report.inserted, report.queries, report.missing_keys) == (3, 2, 0)
    assert set(Judgement.objects.values_list("source", "created_by")) == {("import", "aoi")}
    assert Judgement.objects.get(query="鯨").language == "ja"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("start", [b"", "\ufeff".encode()])
def test_qrels_with_their_topics(fill, write, end, start):
    notes = fill("a red fox", "a blue whale")
    topics = write("1\tred fox", "2\t鯨の色は？", "3\tnever judged", name="topics.tsv", end=end, start=start)
    qrels = write("1 0 k0 2", "", "1 Q0 k1 0", "2\t0\tk1\t1", name="qrels.txt", end=end, start=start)
    import_judgements(notes, qrels, topics, quiet=True)
    assert stored() == {("red fox", "k0"): 2, ("red fox", "k1"): 0, ("鯨の色は？", "k1"): 1}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_is_no_text(fill, write, end):
    path = write({"query": "fox", "key": "k0", "grade": 1}, end=end, start="\ufeff".encode())
    import_judgements(fill("x"), path, quiet=True)
    assert stored() == {("fox", "k0"): 1}


def test_importing_again_changes_grades_alone(fill, write):
    notes = fill("x", "y")
    judge(notes, "a", "k0", 1, by="ben")
    judge(notes, "a", "k1", 1, by="ben")
    path = write({"query": "a", "relevant": {"k0": 1, "k1": 5}}, {"query": "b", "key": "k0", "grade": 2})
    report = import_judgements(notes, path, quiet=True)
    assert (report.inserted, report.updated, report.unchanged) == (1, 1, 1)
    assert stored() == {("a", "k0"): 1, ("a", "k1"): 5, ("b", "k0"): 2}
    assert Judgement.objects.get(query="a", key="k0").source == "click"
    assert Judgement.objects.get(query="a", key="k1").source == "import"
    again = import_judgements(notes, path, quiet=True)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 3)


def test_a_key_without_an_item_is_kept_and_counted(fill, write):
    report = import_judgements(fill("x"), write({"query": "a", "relevant": {"k0": 1, "k7": 1}}), quiet=True)
    assert report.missing_keys == 1
    assert ("a", "k7") in stored()


def test_a_line_said_twice_counts_once(fill, write):
    line = {"query": "a", "key": "k0", "grade": 1}
    report = import_judgements(
        fill("x"), write(line, line, {"query": "a ", "relevant": {"k0": 1}}), quiet=True
    )
    assert (report.inserted, report.repeated) == (1, 2)


GOOD = {"query": "a", "key": "k0", "grade": 1}


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"query": "a", "key": "k0", "grade": 2}, "line 2, grade"),  # not what line 1 says
        ({"query": "x" * 1_000_000, "key": "k0", "grade": 1}, "line 2, query"),
        (b'{"query": "' + b"x" * 5_000_000, "line 2"),
        ({"query": "a\0b", "key": "k0", "grade": 1}, "line 2, query"),
        (b'{"query": "\\ud800", "key": "k0", "grade": 1}', "line 2, query"),
        (b"a\0b", "line 2"),
        (b'{"query": "a", "key": "k0", "grade": NaN}', "line 2"),
        (b'{"query": "a", "relevant": {"k0": Infinity}}', "line 2"),
        ({"query": "b", "key": "k0", "grade": -1}, "line 2, grade"),
        ({"query": "b", "relevant": {"k0": 1, "k1": -1}}, "line 2, relevant.k1"),
        ({"query": "b", "relevant": {"k0": "1"}}, "line 2, relevant.k0"),
        ({"query": "b", "relevant": {}}, "line 2, relevant"),
        ({"query": "b", "relevant": {"": 1}}, "line 2, key"),
        ({"query": "b", "key": 7, "grade": 1}, "line 2, key"),
        ({"query": "b", "key": "k0", "grade": 1, "more": 1}, "line 2"),
        ({"query": "b", "key": "k0", "relevant": {"k0": 1}}, "line 2"),
        (b"[1]", "line 2"),
        (b"7", "line 2"),
        (b"{" * 100_000, "line 2"),
        (b"\xff\xfe", "line 2"),
        (b'{"query": "b", "key": "k0", "grade": ' + b"9" * 10_000 + b"}", "line 2"),
        (b'{"query": "b", "key": "k0", "grade": 1e400}', "line 2, grade"),
    ],
    ids=range(22),
)
def test_one_bad_line_and_nothing_is_written(fill, write, bad, field):
    with pytest.raises(InvalidJudgement) as caught:
        import_judgements(fill("x"), write(GOOD, bad, GOOD), quiet=True)
    assert caught.value.field == field
    assert len(str(caught.value)) < 400
    assert stored() == {}


@pytest.mark.parametrize(
    ("qrels", "topics", "field"),
    [
        ("7 0 k0 1", "1\tfox", "line 1, qid"),
        ("1 0 k0 -1", "1\tfox", "line 1, grade"),
        ("1 0 k0 1.5", "1\tfox", "line 1, grade"),
        ("1 0 k0 NaN", "1\tfox", "line 1, grade"),
        ("1 0 k0 １", "1\tfox", "line 1, grade"),
        ("1 0 k0", "1\tfox", "line 1"),
        ("1 0 k 0 1", "1\tfox", "line 1"),
        ("1 0 k\0 1", "1\tfox", "line 1, key"),
        ("1 0 k0 1", "1 fox", "topics line 1"),
        ("1 0 k0 1", "\tfox", "topics line 1"),
        ("1 0 k0 1", "1\t ", "topics line 1, query"),
        ("1 0 k0 1", "1\tfox\n1\tcat", "topics line 2, qid"),
    ],
)
def test_bad_qrels_and_topics(fill, write, qrels, topics, field):
    with pytest.raises(InvalidJudgement) as caught:
        import_judgements(fill("x"), write(qrels, name="qrels"), write(topics, name="topics"), quiet=True)
    assert caught.value.field == field
    assert stored() == {}


def test_qrels_without_topics_say_what_is_missing(fill, write):
    with pytest.raises(InvalidJudgement, match="--topics"):
        import_judgements(fill("x"), write("1 0 k0 1"), quiet=True)


def test_a_file_has_a_bound(fill, write, monkeypatch):
    monkeypatch.setattr("vectors.relevance.importing.MAX_JUDGEMENTS", 2)
    path = write(*({"query": f"q{n}", "key": "k0", "grade": 1} for n in range(3)))
    with pytest.raises(InvalidJudgement, match="at most 2 judgements"):
        import_judgements(fill("x"), path, quiet=True)


def test_a_file_may_be_too_large(fill, write, monkeypatch):
    monkeypatch.setattr("vectors.relevance.formats.MAX_FILE", 100)
    path = write(*({"query": f"q{n}", "key": "k0", "grade": 1} for n in range(9)))
    with pytest.raises(InvalidJudgement, match="a file of at most 100 bytes"):
        import_judgements(fill("x"), path, quiet=True)


def test_more_than_a_batch_and_long_queries(fill, write):
    lines = [{"query": f"{n} " + "質" * 9_000, "key": f"k{n % 7}", "grade": n % 4} for n in range(120)]
    lines += [{"query": "one", "relevant": {f"k{n}": 1 for n in range(1_100)}}]
    report = import_judgements(fill("x"), write(*lines), quiet=True)
    assert (report.inserted, report.queries) == (1_220, 121)
    again = import_judgements(fill("y", name="other"), write(*lines), quiet=True)
    assert again.inserted == 1_220


def test_nothing_is_kept_of_a_write_that_fails(fill, write, monkeypatch):
    monkeypatch.setattr("vectors.relevance.importing._BATCH_ROWS", 2)
    calls, real = [], importing._write

    def second_fails(made, alias, report):
        real(made, alias, report)
        calls.append(len(made))
        if len(calls) == 2:
            raise OSError("disk")

    monkeypatch.setattr(importing, "_write", second_fails)
    path = write(*({"query": f"q{n}", "key": "k0", "grade": 1} for n in range(5)))
    with pytest.raises(OSError, match="disk"):
        import_judgements(fill("x"), path, quiet=True)
    assert stored() == {}


def test_what_is_exported_can_be_imported(fill, write):
    notes = fill("x")
    for query, key, grade in [("fox", "k0", 3), ('鯨 "の" 色', "k/1 2", 0), ("fox", "k9", 1)]:
        judge(notes, query, key, grade)
    lines = list(export_judgements(notes))
    before = stored()
    assert json.loads(lines[0]).keys() == {"query", "key", "grade"}
    Judgement.objects.all().delete()
    assert import_judgements(notes, write(*lines), quiet=True).inserted == 3
    assert stored() == before
