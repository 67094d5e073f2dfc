"""Formats beside the lossless ones, and files that were made to do harm."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prompts.exchange import folders, front_matter, import_files, json_lines, markdown
from prompts.exchange.exporting import export_prompts
from prompts.exchange.importing import ImportResult, import_file
from prompts.exchange.paths import Paths, name_of
from prompts.exchange.problems import ImportFileError, WrongValue
from prompts.exchange.registry import Selection
from prompts.labels import move_label
from prompts.models import Prompt, User
from prompts.rendering import messages
from prompts.saving import save_prompt
from prompts.trash import delete_prompt
from tests.prompts.exchange.registries import clear, everything, jsons, names, texts

pytestmark = pytest.mark.django_db
CHAT = [{"role": "system", "content": "Be {{tone}}."}, {"type": "placeholder", "name": "history"}]
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.failed)


@pytest.fixture
def registry(user: User) -> None:
    """A text of two versions, a chat, a Jinja template, and something in the trash."""
    text = Prompt(
        user=user,
        name="mail/reply",
        title="Reply",
        content="Dear {{name}}\n",
        status="active",
        language="en",
        tags=["a, b", " c"],
        metadata={"k": [1, None]},
    )
    save_prompt(text, author=user, message="first")
    text.content, text.variables = "Hi {{name}},\n---\n", {"name": {"type": "enum", "values": ["x", "y"]}}
    text.config = {"model": "m"}
    save_prompt(text, author=user, message="second")
    move_label(text, "production", 1, actor=user)
    chat = Prompt(user=user, name="chat", title="Chat", type="chat", content=messages.dump(CHAT))
    save_prompt(chat, author=user)
    jinja = Prompt(
        user=user, name="jinja", title="J", content="{% if a %}x{% endif %}", template_format="jinja2"
    )
    save_prompt(jinja, author=user)
    gone = Prompt(user=user, name="gone", title="G", content="in the trash")
    save_prompt(gone, author=user)
    delete_prompt(gone, actor=user)


def newest() -> list[tuple[Any, ...]]:
    fields = (
        "name",
        "title",
        "type",
        "content",
        "template_format",
        "variables",
        "config",
        "status",
        "language",
        "tags",
        "metadata",
    )
    return sorted(Prompt.objects.values_list(*fields), key=repr)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("name", ["a.csv", "a.json", "latest.jsonl", "folder"])
def test_the_newest_versions_come_through_every_format(tmp_path: Path, user: User, name: str) -> None:
    before = newest()
    written = export_prompts(tmp_path / name, Selection(history=False))
    assert written.prompts == 3
    assert counts(import_file(tmp_path / name, user)) == (0, 0, 3, 0)
    clear()
    assert counts(import_file(tmp_path / name, user)) == (3, 0, 0, 0)
    assert newest() == before
    assert counts(import_file(tmp_path / name, user, strict=True)) == (0, 0, 3, 0)
    assert newest() == before


@pytest.mark.usefixtures("registry")
def test_langfuse_has_versions_and_labels(tmp_path: Path, user: User) -> None:
    path = tmp_path / "langfuse.json"
    assert export_prompts(path, Selection(), format="langfuse").versions == 4
    objects = json.loads(path.read_text())
    assert [(one["name"], one["version"], one["labels"]) for one in objects] == [
        ("chat", 1, ["latest"]),
        ("jinja", 1, ["latest"]),
        ("mail/reply", 1, ["production"]),
        ("mail/reply", 2, ["latest"]),
    ]
    assert objects[0]["prompt"] == CHAT
    assert (objects[2]["commitMessage"], objects[2]["createdBy"], objects[3]["config"]) == (
        "first",
        "aoi",
        {"model": "m"},
    )
    Prompt.objects.filter(name="jinja").delete()
    clear()
    path.write_text(json.dumps([one for one in objects if one["name"] != "jinja"]))
    assert counts(import_file(path, user, dry_run=True)) == (2, 0, 0, 0)
    assert counts(import_file(path, user)) == (2, 0, 0, 0)
    prompt = Prompt.objects.get(name="mail/reply")
    assert [(one.version, one.content, one.message) for one in prompt.versions.order_by("version")] == [
        (1, "Dear {{name}}\n", "first"),
        (2, "Hi {{name}},\n---\n", "second"),
    ]
    assert prompt.labels.get().version.version == 1
    assert prompt.label_moves.get().reason == "Imported from langfuse.json"
    assert Prompt.objects.get(name="chat").type == "chat"
    before = everything()
    assert counts(import_file(path, user, strict=True)) == (0, 0, 2, 0)
    assert everything() == before


def test_langfuse_gets_the_missing_versions(tmp_path: Path, user: User) -> None:
    def bring(*versions: dict[str, Any], name: str = "l.jsonl") -> ImportResult:
        path = tmp_path / name
        rows = [{"name": "p", "labels": [], "type": "text", **one} for one in versions]
        text = "\n".join(map(json.dumps, rows)) if name.endswith("l") else json.dumps({"data": rows})
        path.write_text(text)
        return import_file(path, user)

    one, two, four = ({"version": number, "prompt": f"v{number}"} for number in (1, 2, 4))
    assert counts(bring(two, one)) == (1, 0, 0, 0)
    assert counts(bring(one, two, four, name="l.json")) == (0, 1, 0, 0)
    assert counts(bring(four, two)) == (0, 0, 1, 0)
    assert counts(bring({**four, "prompt": "other"}, one)) == (0, 0, 0, 1)
    assert counts(bring(one, {"version": 5, "prompt": []})) == (0, 0, 0, 1)
    assert counts(bring(one, one)) == (0, 0, 0, 1)
    assert counts(bring({**one, "labels": ["A"]})) == (0, 0, 0, 1)
    assert counts(bring({**one, "labels": ["a"]}, {**two, "labels": ["a"]})) == (0, 0, 0, 1)
    assert counts(bring({**one, "name": 7}, {**one, "version": "1"}, {**one, "type": "image"})) == (
        0,
        0,
        0,
        2,
    )
    assert [version.version for version in Prompt.objects.get().versions.order_by("version")] == [1, 2, 4]


@QUICK
@given(
    values=st.dictionaries(
        # AFN's own names are none of those that YAML takes for something else, such as on.
        st.from_regex(r"\A[a-z][a-z_]{0,8}\Z").filter(lambda name: yaml.safe_load(name) == name),
        st.one_of(texts, jsons, st.lists(texts, max_size=3), st.integers(), st.booleans()),
        min_size=1,
        max_size=5,
    ),
    body=texts,
)
def test_front_matter_is_yaml_and_needs_no_parser_of_it(values: dict[str, Any], body: str) -> None:
    text = front_matter.dump(values) + body
    found, rest = front_matter.split(text)
    assert (found, rest) == (values, body)
    assert front_matter._ours(text.split("---\n")[1]) == values or "---" in json.dumps(values)
    head = front_matter.dump(values).removeprefix("---\n").removesuffix("---\n")
    assert yaml.safe_load(head) == values


@QUICK
@given(given_names=st.lists(names, unique=True, max_size=30))
def test_paths_are_safe_and_differ_everywhere(given_names: list[str]) -> None:
    paths = Paths()
    made = [paths.path_for(name) for name in given_names]
    assert len({path.casefold() for path in made}) == len(made)
    folders_ = {
        "/".join(path.split("/")[:depth]).casefold()
        for path in made
        for depth in range(1, path.count("/") + 1)
    }
    assert folders_.isdisjoint(path.casefold() for path in made)
    for path in made:
        for part in path.split("/"):
            assert part[0] not in ".- "
            assert part[-1] not in ". "
            assert len(part.encode()) <= 200
            assert part.partition(".")[0].lower() not in ("con", "nul")
            assert not set(part) & set('\\:*?"<>|')


def test_paths_lead_back_to_names() -> None:
    for name in ("a/b", "con/nul", "..a", ".git/hooks", "-rf", "a%2Fb", "x.md/y", "a:b*?", "é日本", "trail."):
        assert name_of(Paths().path_for(name)) == name


FRONT = [
    ("a: &x [1]\nb: *x", "aliases are not read"),
    ("a: 1\na: 2", "a key comes twice"),
    ("a: !!python/object/apply:os.system [id]", "could not determine a constructor"),
    ("a: [", "in line 3"),
    ("- a\n- b", "list"),
    ("a: " + "[" * 500 + "x" + "]" * 500, ""),
    ("? [1]\n: 2", ""),
    ("a: 2026-13-45", ""),
    ("? {b: 1}\n: 2", ""),
    ("a: .nan\nb: !!binary aGk=", "kind bytes"),
    ("<<: &a {b: *a}", "aliases"),
]


@pytest.mark.parametrize(("text", "got"), FRONT)
def test_yaml_that_means_harm_is_refused(text: str, got: str) -> None:
    with pytest.raises(WrongValue) as caught:
        front_matter.split(f"---\n{text}\n---\nbody")
    assert got in caught.value.got


def test_a_bomb_of_aliases_takes_no_time(tmp_path: Path, user: User) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30))
    (tmp_path / "bomb.md").write_text(f"---\nl0: &l0 [lol]\n{levels}\n---\nbody\n")
    [refusal] = import_file(tmp_path, user).failed
    assert refusal.got == "aliases are not read in bomb.md"


HANDWRITTEN = [
    ("Just text\n", {"content": "Just text", "title": "f", "name": "sub/f"}),
    ("no end of line", {"content": "no end of line"}),
    ("two\n\n", {"content": "two\n"}),
    ("win\r\nline\r\n", {"content": "win\r\nline"}),
    ("---\r\ntitle: T\r\n---\r\nwin\r\n", {"content": "win", "title": "T"}),
    ("\ufeff---\ntitle: T\n---\nx\n", {"content": "x", "title": "T"}),
    (
        "---\nname: other/name\ntags: [a, 'b']\nstatus: draft\nlanguage: ja\n---\nx\n",
        {"name": "other/name", "tags": ["a", "b"], "status": "draft", "language": "ja", "title": "name"},
    ),
    (
        "---\ntags: a, b\nteam: x\nsince: 2026-01-02\n---\nx\n",
        {"tags": ["a", "b"], "metadata": {"team": "x", "since": "2026-01-02"}},
    ),
    (
        "---\nconfig:\n  model: m\n  temperature: 0.5\n---\nx\n",
        {"config": {"model": "m", "temperature": 0.5}},
    ),
    ("---\n---\nx\n", {"content": "x"}),
    ("---\nno end", {"content": "---\nno end"}),
    (
        "---\ntype: chat\n---\n<!-- message: system -->\nA\n"
        '<!-- message: {"placeholder": "h"} -->\n<!-- message: "user" -->\nB\n',
        {
            "type": "chat",
            "content": messages.dump(
                [
                    {"role": "system", "content": "A"},
                    {"type": "placeholder", "name": "h"},
                    {"role": "user", "content": "B"},
                ]
            ),
        },
    ),
]


@pytest.mark.parametrize(("text", "expected"), HANDWRITTEN)
def test_files_that_people_write(tmp_path: Path, user: User, text: str, expected: dict[str, Any]) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/f.md").write_bytes(text.encode())
    assert counts(import_file(tmp_path, user)) == (1, 0, 0, 0)
    prompt = Prompt.objects.get()
    assert {name: getattr(prompt, name) for name in expected} == expected
    assert counts(import_file(tmp_path, user)) == (0, 0, 1, 0)


WRONG_FILES = [
    ("---\ntitle: [x]\n---\nx", "title"),
    ("---\nname: ../../etc/passwd\n---\nx", "name"),
    ("---\nname: /etc\n---\nx", "name"),
    ("---\nstatus: gone\n---\nx", "status"),
    ("---\ntype: image\n---\nx", "type"),
    ("---\ntype: chat\n---\nx", "content"),
    ("---\ntype: chat\nseparator: '.*'\n---\nx", "separator"),
    ('---\ntype: chat\n---\n<!-- message: {"placeholder": "h"} -->\nx', "content"),
    ("---\nvariables: {b: {}}\n---\nx", "variables.b"),
    ("---\nconfig: [1]\n---\nx", "config"),
    ("---\ntags: {a: 1}\n---\nx", "tags"),
    ("---\nmetadata: 1\n---\nx", "metadata"),
    ("---\ntemplate_format: jinja2\n---\n{% for %}", "content"),
    ("---\ntemplate_format: perl\n---\nx", "template_format"),
    ("x\0y", "content"),
    (" ", "content"),
]


@pytest.mark.parametrize(("text", "field"), WRONG_FILES)
def test_a_wrong_file_is_named_and_the_others_kept(tmp_path: Path, user: User, text: str, field: str) -> None:
    (tmp_path / "bad.md").write_bytes(text.encode())
    (tmp_path / "good.md").write_text("good")
    result = import_file(tmp_path, user)
    [refusal] = result.failed
    assert (result.created, refusal.field, refusal.line) == (1, field, 1)
    assert refusal.got.endswith(" in bad.md")


def test_nothing_outside_a_folder_is_read(
    tmp_path: Path, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("a secret")
    root = tmp_path / "root"
    (root / ".afn").mkdir(parents=True)
    (root / "link.md").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.md")
    version = {"number": 1, "content": "x"}
    lines = [
        {"file": path, "name": f"n{at}", "versions": [version]}
        for at, path in enumerate(
            ["../secret.md", str(secret), "link.md", "folder/secret.md", "pipe.md", 7, None]
        )
    ]
    (root / ".afn/prompts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (root / "large.md").write_text("x" * 20)
    monkeypatch.setattr(folders, "MAX_FILE", 10)
    monkeypatch.setattr(folders.read_text, "__defaults__", (10,))
    result = import_file(root, user)
    assert not Prompt.objects.exists()
    assert sorted(one.got for one in result.failed) == [
        "a symbolic link in folder",
        "a symbolic link in link.md",
        "a symbolic link in loop",
        "more in large.md",
        "something that is no file in pipe.md",
    ]
    (root / ".afn/prompts.jsonl").unlink()
    (root / ".afn/prompts.jsonl").symlink_to(secret)
    with pytest.raises(ImportFileError, match="got a symbolic link"):
        import_file(root, user)


def test_folders_have_bounds(tmp_path: Path, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    for name in ("a/1.md", "2.md", "3.md"):
        (tmp_path / name).write_text("x")
    for bound in ("MAX_FILES", "MAX_DEPTH"):
        with monkeypatch.context() as patch:
            patch.setattr(folders, bound, 2)
            with pytest.raises(ImportFileError, match=r"expected .*at most 2"):
                import_file(tmp_path, user)
    with pytest.raises(ImportFileError, match="expected a folder"):
        import_file(tmp_path / "2.md", user, format="markdown")


@pytest.mark.usefixtures("registry")
def test_an_edited_file_is_another_version(tmp_path: Path, user: User) -> None:
    root = tmp_path / "all"
    export_prompts(root, Selection())
    file = root / "mail/reply.md"
    file.write_text(file.read_text().replace("Hi", "Hello").replace('"Reply"', '"Answer"'))
    (root / "jinja.md").unlink()
    (root / "README.md").write_text("About this folder")
    (root / "new.md").write_text("New one")
    result = import_file(root, user)
    assert counts(result) == (1, 1, 2, 0)
    assert result.notes == [
        "jinja is not imported: its file jinja.md is gone.",
        "README.md is not imported: it has no front matter.",
    ]
    prompt = Prompt.objects.get(name="mail/reply")
    assert (prompt.version, prompt.content, prompt.title) == (3, "Hello {{name}},\n---\n", "Reply")
    assert prompt.versions.first().parent.version == 2
    assert counts(import_file(root, user, strict=True)) == (0, 0, 4, 0)
    clear()
    assert counts(import_file(root, user)) == (4, 0, 0, 0)
    prompt = Prompt.objects.get(name="mail/reply")
    assert (prompt.version, prompt.title, prompt.past_fields.first().values["title"]) == (
        3,
        "Answer",
        "Answer",
    )


@pytest.mark.usefixtures("registry")
def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "all"
    root.mkdir()
    (root / "mine.txt").write_text("mine")
    with pytest.raises(ImportFileError, match=r"expected an empty folder, got one with mine\.txt"):
        export_prompts(root, Selection())
    (root / "mine.txt").rename(root / ".gitignore")
    (root / ".git").mkdir()
    export_prompts(root, Selection())
    assert (root / ".gitignore").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all"]
    (tmp_path / "link").symlink_to(root)
    (tmp_path / "file").write_text("x")
    for name in ("link", "file"):
        with pytest.raises(ImportFileError, match="got something else of that name"):
            export_prompts(tmp_path / name, Selection(), format="markdown")
    with pytest.raises(ImportFileError, match="got a folder"):
        export_prompts(root, Selection(), format="csv")
    with pytest.raises(ImportFileError, match=r"expected a file ending in"):
        export_prompts(tmp_path / "x.pdf", Selection())


def test_a_csv_field_of_16_megabytes_is_the_longest(tmp_path: Path, user: User) -> None:
    path = tmp_path / "large.csv"
    for length, field, got in (
        (16 * 2**20, "content", "16,777,216"),
        (16 * 2**20 + 1, "row", "field larger than"),
    ):
        path.write_text(f"title,content\nt,{'x' * length}\nu,fine\n")
        result = import_file(path, user, dry_run=True)
        assert (result.failed[0].field, result.failed[0].line) == (field, 2)
        assert got in result.failed[0].got
    text = io.StringIO()
    csv.writer(text).writerow(["title", "content"])


def test_files_that_are_too_large_are_not_read(
    tmp_path: Path, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.json"
    path.write_text(json.dumps([{"title": "t", "content": "x" * 100}]))
    monkeypatch.setattr(import_files, "MAX_FILE", 50)
    with pytest.raises(ImportFileError, match="expected at most 50 bytes"):
        import_file(path, user)
    monkeypatch.setattr(json_lines, "MAX_LINE", 50)
    path = tmp_path / "f.jsonl"
    path.write_text('{"title": "t", "content": "%s"}\n{"title": "u", "content": "U"}\n' % ("x" * 5_000_000))
    result = import_file(path, user)
    assert (result.created, result.failed[0].line, result.failed[0].got) == (1, 1, "a longer one")
    os.mkfifo(tmp_path / "pipe")
    for other in ("/dev/null", str(tmp_path)):
        with pytest.raises(ImportFileError, match=r"expected a file|cannot be read"):
            import_file(Path(other), user, format="jsonl")


def test_members_that_come_twice_are_refused(tmp_path: Path, user: User) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text('{"title": "t", "content": "a", "content": "b"}\n{"title": "u", "content": "U"}\n')
    result = import_file(path, user)
    assert (result.created, result.failed[0].got) == (1, "the member 'content' twice")
    path = tmp_path / "f.json"
    path.write_text('[{"title": "t", "content": "a", "title": "b"}]')
    with pytest.raises(ImportFileError, match="the member 'title' twice"):
        import_file(path, user)


@QUICK
@given(chat=st.lists(st.tuples(texts, texts), min_size=1, max_size=3))
def test_a_chat_comes_through_sections(chat: list[tuple[str, str]]) -> None:
    found = [{"role": repr(role)[:64], "content": content} for role, content in chat]
    content = messages.dump(messages.check(found))
    body, separator = markdown._sections(content)
    assert markdown._content("chat", body, separator) == content


def test_columns_that_happen_to_be_ours_are_metadata(tmp_path: Path, user: User) -> None:
    path = tmp_path / "prompts.csv"
    path.write_text("act,prompt,for_devs,type,config\nA,x,TRUE,IMAGE,{}\n")
    assert counts(import_file(path, user)) == (1, 0, 0, 0)
    assert Prompt.objects.get().metadata == {"for_devs": "TRUE", "type": "IMAGE", "config": "{}"}


@pytest.mark.parametrize("kind", ["text", "TEXT", " Text "])
def test_a_type_that_says_what_a_prompt_is_is_no_metadata(tmp_path: Path, user: User, kind: str) -> None:
    table, lines = tmp_path / "a.csv", tmp_path / "b.jsonl"
    table.write_text(f"act,prompt,type\nA,x,{kind}\n")
    lines.write_text(json.dumps({"title": "B", "content": "y", "type": kind}) + "\n")
    for path in (table, lines):
        assert counts(import_file(path, user)) == (1, 0, 0, 0)
    assert list(Prompt.objects.values_list("type", "metadata")) == [("text", {}), ("text", {})]


def test_so_is_that_of_a_chat_whose_messages_are_json_in_a_cell(tmp_path: Path, user: User) -> None:
    rows = [("A", json.dumps(CHAT), "chat"), ("B", "What shall we chat about?", "chat")]
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("title", "content", "type"), *rows])
    assert counts(import_file(path, user)) == (2, 0, 0, 0)
    found = Prompt.objects.order_by("name").values_list("type", "content", "metadata")
    assert list(found) == [("chat", messages.dump(CHAT), {}), ("text", rows[1][1], {"type": "chat"})]


def test_a_chat_may_be_a_list_in_json(tmp_path: Path, user: User, make: Callable[..., Prompt]) -> None:
    make("text", "a text")
    path = tmp_path / "f.json"
    path.write_text(
        json.dumps(
            [
                {"title": "C", "content": CHAT},
                {"title": "D", "name": "text", "content": CHAT},
                {"title": "E", "content": [{}]},
            ]
        )
    )
    result = import_file(path, user)
    assert counts(result) == (1, 0, 0, 2)
    assert [(one.line, one.field) for one in result.failed] == [(2, "type"), (3, "content[0].role")]
    assert Prompt.objects.get(name="C").content == messages.dump(CHAT)
