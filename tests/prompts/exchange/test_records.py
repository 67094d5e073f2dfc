"""What an import of histories does to prompts that are there, and what it refuses."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prompts import indexing
from prompts.events import happened
from prompts.exchange import registry
from prompts.exchange.exporting import export_lines, export_prompts
from prompts.exchange.importing import ImportResult, import_file
from prompts.exchange.problems import Refusal
from prompts.exchange.registry import Selection
from prompts.labels import move_label
from prompts.models import Evaluation, Prompt, PromptVersion, User
from prompts.trash import delete_prompt, purge
from tests.prompts.exchange.registries import everything
from tests.prompts.test_commands import call

pytestmark = pytest.mark.django_db
Bring = Callable[..., ImportResult]
BOB = {"name": "bob", "email": "bob@example.com"}


@pytest.fixture
def bring(tmp_path: Path, user: User) -> Bring:
    def bring(*records: Any, **options: Any) -> ImportResult:
        path = tmp_path / "r.jsonl"
        path.write_text("\n".join(map(json.dumps, records)))
        return import_file(path, user, **options)

    return bring


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.failed)


def record(*contents: str, **more: Any) -> dict[str, Any]:
    versions = [{"number": at, "content": content} for at, content in enumerate(contents, start=1)]
    return {"name": "p", "versions": versions, **more}


def stored(name: str = "p") -> list[tuple[int, str]]:
    return list(Prompt.objects.get(name=name).versions.order_by("version").values_list("version", "content"))


def test_the_least_that_a_record_may_say(bring: Bring, user: User) -> None:
    assert counts(bring(record("one", "two", name="a/b"))) == (1, 0, 0, 0)
    prompt = Prompt.objects.get()
    assert (prompt.title, prompt.version, prompt.content, prompt.status, prompt.user) == (
        "b",
        2,
        "two",
        "active",
        user,
    )
    assert [one.author for one in prompt.versions.all()] == [user, user]
    assert prompt.past_fields.count() == 1
    assert indexing.count_outdated() == 0


def test_missing_versions_are_appended(bring: Bring) -> None:
    told: list[Any] = []

    def listen(event: Any, **kwargs: Any) -> None:
        told.append((event.kind, event.data))

    happened.connect(listen)
    bring(record("one"))
    evaluation = {"version": 2, "score": 0.5, "item": "i"}
    more = record("one", "two", "three", evaluations=[evaluation, {**evaluation, "version": None}])
    assert counts(bring(more, dry_run=True)) == (0, 1, 0, 0)
    assert counts(bring(more, strict=True)) == (0, 1, 0, 0)
    assert stored() == [(1, "one"), (2, "two"), (3, "three")]
    prompt = Prompt.objects.get()
    assert (prompt.version, prompt.content) == (3, "three")
    assert prompt.versions.get(version=2).parent is None
    assert sorted(str(one.version) for one in Evaluation.objects.select_related("version")) == [
        "None",
        "p v2",
    ]
    assert indexing.count_outdated() == 0
    before = everything()
    assert counts(bring(more)) == counts(bring(record("one", "two"))) == (0, 0, 1, 0)
    assert everything() == before
    assert told == [("prompt.created", {"version": 1}), ("version.created", {"version": 3})]
    happened.disconnect(listen)


def test_a_prompt_that_is_there_keeps_its_fields_and_labels(bring: Bring) -> None:
    bring(record("one", title="Mine", tags=["a"], labels={"production": 1}))
    bring(record("one", "two", title="Yours", tags=[], labels={"production": 2, "b": 2}))
    prompt = Prompt.objects.get()
    assert (prompt.title, prompt.tags, prompt.version) == ("Mine", ["a"], 2)
    assert {one.name: one.version.version for one in prompt.labels.all()} == {"production": 1}


CONFLICTS = [
    (record("other", "two"), "versions.1", "something else"),
    (record("one", "other", "three"), "versions.2", "something else"),
    ({"name": "p", "versions": [{"number": 7, "content": "x"}]}, "versions", "7"),
    (
        {
            "name": "p",
            "type": "chat",
            "versions": [{"number": 1, "content": [{"role": "user", "content": "x"}]}],
        },
        "type",
        "chat",
    ),
]


@pytest.mark.parametrize("options", [{}, {"strict": True}, {"dry_run": True}])
@pytest.mark.parametrize(("conflict", "field", "got"), CONFLICTS)
def test_another_history_is_a_conflict(
    bring: Bring, conflict: dict[str, Any], field: str, got: str, options: dict[str, Any]
) -> None:
    bring(record("one", "two"))
    before = everything()
    evaluated = {**conflict, "evaluations": [{"version": conflict["versions"][-1]["number"], "score": 1}]}
    result = bring(record("q", name="q"), evaluated, **options)
    [refusal] = result.failed
    assert (refusal.line, refusal.field, refusal.got) == (2, field, got)
    Prompt.objects.filter(name="q").delete()
    assert everything() == before


def test_a_newest_version_that_breaks_others_is_a_conflict(bring: Bring, make: Callable[..., Prompt]) -> None:
    bring(record("one"))
    make("outer", "@@@prompt:name=p|label=latest@@@")
    before = everything()
    result = bring(record("one", "two @@@prompt:name=outer|label=latest@@@"))
    assert [(one.line, one.field) for one in result.failed] == [(1, "content")]
    assert everything() == before


def test_who_is_not_known_here_is_named(bring: Bring, user: User) -> None:
    versions = [
        {"number": 1, "content": "x", "message": "m", "author": BOB},
        {"number": 2, "content": "y", "author": None},
    ]
    move = {"label": "a", "to": 1, "actor": BOB, "created_at": "2026-01-01"}
    prompt = {"name": "p", "owner": BOB, "versions": versions, "moves": [move]}
    foreseen = bring(prompt, dry_run=True)
    result = bring(prompt)
    assert foreseen.notes == result.notes
    assert result.notes == ["bob <bob@example.com> is not known here: aoi stands in."]
    prompt = Prompt.objects.get()
    first, second = prompt.versions.order_by("version")
    assert (prompt.user, first.author, first.message) == (user, user, "m\n\n(By bob <bob@example.com>.)")
    assert second.author is None
    assert (prompt.label_moves.get().actor, prompt.label_moves.get().actor_name) == (None, "bob")


@pytest.mark.parametrize(
    "person",
    [{"name": "x", "email": "BOB@example.com"}, {"name": "bob"}, {"name": "bob", "email": "new@example.com"}],
)
def test_people_are_known_by_address_or_name(bring: Bring, person: dict[str, str]) -> None:
    bob = User.objects.create_user("bob", "bob@example.com")
    bring({"name": "p", "owner": person, "versions": [{"number": 1, "content": "x", "author": person}]})
    assert Prompt.objects.get().user == Prompt.objects.get().versions.get().author == bob


def test_an_id_is_kept_where_it_is_free(bring: Bring, make: Callable[..., Prompt]) -> None:
    other = make("other", "text")
    taken, free = other.versions.get().pk, "f" * 32
    bring(
        record("x", id=other.pk),
        {"name": "q", "id": free, "versions": [{"number": 1, "content": "y", "id": taken}]},
    )
    result = bring({"name": "p", "id": other.pk, "versions": [{"number": 1, "content": "x"}]})
    # The id leads to another prompt, whose history is another.
    assert result.failed[0].field == "versions.1"
    assert Prompt.objects.get(name="q").pk == free
    assert PromptVersion.objects.get(pk=taken).prompt == other


def test_a_renamed_prompt_is_known_by_its_id(tmp_path: Path, bring: Bring, user: User) -> None:
    bring(record("one"))
    path = tmp_path / "all.jsonl"
    export_prompts(path, Selection())
    Prompt.objects.update(name="moved")
    assert counts(import_file(path, user)) == (0, 0, 1, 0)
    assert Prompt.objects.get().name == "moved"


def test_what_is_in_the_trash_here_is_imported_anew(tmp_path: Path, bring: Bring, user: User) -> None:
    bring(record("one"))
    path = tmp_path / "all.jsonl"
    export_prompts(path, Selection())
    delete_prompt(Prompt.objects.get(), actor=None)
    assert counts(import_file(path, user)) == (1, 0, 0, 0)
    assert counts(import_file(path, user)) == (0, 0, 1, 0)
    assert Prompt.everything.count() == 2


def test_identical_prompts_in_the_trash_stay_as_many(bring: Bring) -> None:
    gone = record("x", deleted_at="2026-01-01T00:00:00Z")
    assert counts(bring(gone, gone)) == (2, 0, 0, 0)
    assert counts(bring(gone, gone)) == (0, 0, 2, 0)
    assert counts(bring(gone, gone, gone)) == (1, 0, 2, 0)
    assert not Prompt.objects.exists()
    purge_all()
    assert counts(bring(gone)) == (1, 0, 0, 0)


def purge_all() -> None:
    from datetime import timedelta

    purge(timedelta())


def test_a_purged_version_does_not_come_back(bring: Bring) -> None:
    bring(record("one", "two", "three"))
    PromptVersion.objects.filter(version=2).delete()
    assert counts(bring(record("one", "two", "three"))) == (0, 0, 1, 0)
    assert [number for number, _ in stored()] == [1, 3]


@pytest.mark.parametrize("first", [record("x"), {"title": "p", "content": "y", "name": "p"}])
def test_a_name_may_come_once(bring: Bring, first: dict[str, Any]) -> None:
    refusal = Refusal(2, "name", "a name that occurs once in the file", "p")
    for options in ({"strict": True}, {"dry_run": True}, {}):
        assert bring(first, record("x"), **options).failed == [refusal]
    assert Prompt.objects.count() == 1


VERSION = {"number": 1, "content": "x"}
CHAT = [{"role": "user", "content": "x"}]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"afn": 2}, "afn"),
    ({"surprise": 1}, "surprise"),
    ({"name": "a//b"}, "name"),
    ({"name": "../x"}, "name"),
    ({"name": 7}, "name"),
    ({"name": None}, "name"),
    ({"title": " "}, "title"),
    ({"title": "\ud800"}, "title"),
    ({"type": "image"}, "type"),
    ({"type": ["text"]}, "type"),
    ({"type": "chat"}, "versions[0].content"),
    ({"status": "x"}, "status"),
    ({"tags": "x"}, "tags"),
    ({"tags": None}, "tags"),
    ({"metadata": []}, "metadata"),
    ({"metadata": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}}, "metadata"),
    ({"source": "x" * 256}, "source"),
    ({"id": "'; DROP TABLE prompts"}, "id"),
    ({"owner": "bob"}, "owner"),
    ({"owner": {"name": "x", "admin": True}}, "owner.admin"),
    ({"created_at": "soon"}, "created_at"),
    ({"created_at": 5}, "created_at"),
    ({"versions": []}, "versions"),
    ({"versions": [VERSION, VERSION]}, "versions"),
    ({"versions": ["x"]}, "versions[0]"),
    ({"versions": [{"number": 1}]}, "versions[0].content"),
    ({"versions": [{**VERSION, "number": 0}]}, "versions[0].number"),
    ({"versions": [{**VERSION, "number": True}]}, "versions[0].number"),
    ({"versions": [{**VERSION, "number": 2**31}]}, "versions[0].number"),
    ({"versions": [{**VERSION, "content": " "}]}, "versions[0].content"),
    ({"versions": [{**VERSION, "content": "x" * 1_000_001}]}, "versions[0].content"),
    ({"versions": [{**VERSION, "content": "a\0"}]}, "versions[0].content"),
    ({"versions": [{**VERSION, "content": CHAT}]}, "versions[0].content"),
    ({"versions": [{**VERSION, "variables": {"a": {}}}]}, "versions[0].variables.a"),
    ({"versions": [{**VERSION, "variables": {"a": {"type": "x"}}}]}, "versions[0].variables"),
    ({"versions": [{**VERSION, "config": [1]}]}, "versions[0].config"),
    ({"versions": [{**VERSION, "template_format": "perl"}]}, "versions[0].template_format"),
    ({"versions": [{**VERSION, "template_format": "jinja2", "content": "{% if %}"}]}, "versions[0].content"),
    ({"versions": [{**VERSION, "message": 1}]}, "versions[0].message"),
    ({"versions": [{**VERSION, "parent": "1"}]}, "versions[0].parent"),
    ({"versions": [{**VERSION, "hash": "x"}]}, "versions[0].hash"),
    ({"labels": {"production": 2}}, "labels.production"),
    ({"labels": {"Production": 1}}, "labels.Production"),
    ({"labels": {"latest": 1}}, "labels.latest"),
    ({"labels": ["production"]}, "labels"),
    ({"labels": {"a": 1}, "deleted_at": "2026-01-01"}, "labels.a"),
    ({"moves": [{"label": "a", "to": 1}]}, "moves[0].created_at"),
    ({"moves": [{"label": "A", "created_at": "2026-01-01"}]}, "moves[0].label"),
    ({"moves": [{"label": "a", "created_at": "2026-01-01", "undoes": 0}]}, "moves[0].undoes"),
    ({"moves": [{"label": "a", "created_at": "2026-01-01", "evidence": [1]}]}, "moves[0].evidence"),
    ({"moves": [{"label": "a", "created_at": "2026-01-01", "from": -1}]}, "moves[0].from"),
    ({"past": [{"values": {"name": "p"}}]}, "past[0].values"),
    ({"evaluations": [{"version": 2, "score": 1}]}, "evaluations[0].version"),
    ({"evaluations": [{"version": 1, "score": 2}]}, "evaluations[0].score"),
    ({"evaluations": [{"version": 1, "score": 1, "item": "x" * 256}]}, "evaluations[0].item"),
    ({"evaluations": 7}, "evaluations"),
]


@pytest.mark.parametrize(("values", "field"), WRONG)
def test_a_wrong_value_is_named_and_nothing_of_it_written(
    bring: Bring, values: dict[str, Any], field: str
) -> None:
    result = bring(record("good", name="good"), {**record("x"), **values}, record("also", name="also good"))
    assert [(one.line, one.field) for one in result.failed] == [(2, field)]
    assert counts(result) == (2, 0, 0, 1)
    assert Prompt.everything.count() == 2


def test_what_plain_sql_wrote_goes_out_as_the_version_it_would_be(
    tmp_path: Path, make: Any, user: User
) -> None:
    make("p", "one")
    Prompt.objects.update(content="two")
    path = tmp_path / "all.jsonl"
    assert export_prompts(path, Selection()).versions == 2
    Prompt.objects.all().delete()
    import_file(path, user)
    assert stored() == [(1, "one"), (2, "two")]


def test_a_selection_is_what_goes_out(make: Any, user: User) -> None:
    make("a/x", "1", tags=["t"])
    b = make("b/x", "2")
    b.content = "3"
    b.save(index=False)
    move_label(b, "production", 1, actor=None)
    delete_prompt(make("a/gone", "4"), actor=None)

    def out(**options: Any) -> list[tuple[str, list[int]]]:
        lines = map(json.loads, export_lines(Selection(**options)))
        return [(line["name"], [one["number"] for one in line["versions"]]) for line in lines]

    assert out() == [("a/gone", [1]), ("a/x", [1]), ("b/x", [1, 2])]
    assert out(folder="a") == [("a/gone", [1]), ("a/x", [1])]
    assert out(tag="t") == [("a/x", [1])]
    assert out(label="production") == [("b/x", [1, 2])]
    assert out(label="production", history=False) == [("b/x", [1])]
    assert out(label="latest", history=False) == out(history=False) == [("a/x", [1]), ("b/x", [2])]
    assert "@" not in "".join(export_lines(Selection(), with_emails=False))


def test_many_prompts_go_out_in_few_queries(make: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        make(f"p{number}", str(number))
    with django_assert_max_num_queries(12):
        assert len(list(registry.iterate_records(Selection()))) == 30


def test_the_command_exports_and_imports(tmp_path: Path, make: Any) -> None:
    make("p", "x")
    path = tmp_path / "a.jsonl"
    assert call("export_prompts", str(path), "--verbosity", "0")[:2] == (
        0,
        f"1 prompts, 1 versions in {path}\n",
    )
    code, out, _ = call(
        "export_prompts", str(tmp_path / "folder"), "--latest", "--folder", "nobody", "--json"
    )
    assert (code, json.loads(out)) == (0, {"format": "markdown", "prompts": 0, "versions": 0})
    Prompt.objects.all().delete()
    assert call("import_prompts", str(path), "--verbosity", "0") == (
        0,
        "1 created, 0 updated, 0 unchanged, 0 refused\n",
        "",
    )
    for arguments, message in (
        ([str(tmp_path / "a.csv"), "--history"], "--history: expected a format with versions, got csv"),
        ([str(tmp_path / "a.pdf")], "expected a file ending in"),
        (["/nowhere/a.csv"], "No such file"),
    ):
        with pytest.raises(Exception, match=message):
            call("export_prompts", *arguments)


def test_a_record_that_is_read_is_not_changed_by_it() -> None:
    from prompts.exchange.checking import from_json

    value = record("x", tags=["a"], metadata={"k": [1]})
    before = copy.deepcopy(value)
    from_json(value)
    assert value == before
