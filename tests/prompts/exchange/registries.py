"""Registries at random, made by what people do, and everything of one to compare."""

from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError
from hypothesis import strategies as st

from prompts import labels, trash
from prompts.errors import RegistryProblem
from prompts.models import Evaluation, LabelMove, Prompt, PromptFields, PromptLabel, PromptVersion, User
from prompts.rendering import messages
from prompts.saving import save_prompt

PIECES = [
    "Hello {{name}}",
    "\r\n",
    "\n",
    "\r",
    " ",
    "  \n",
    "\t",
    "---\n",
    "---",
    "\n---\n",
    "key: value\n",
    '"quoted"',
    "'",
    "\\",
    "\\n",
    "日本語",
    "😀",
    "é",
    "e\u0301",
    "\u2028",
    "\x85",
    "\ufeff",
    "\x0c",
    "\x1b",
    "\x7f",
    '<!-- message: "user" -->\n',
    '<!-- message-2: "user" -->',
    "<!-- message: user -->",
    "-->",
    "{% if a %}x{% endif %}",
    "- a\n",
    "? ",
    "& ",
    "*x",
    "!!python/object:os.system",
    "# title\n",
    "%41",
    "null",
    "{{ tone }}",
    "@@",
    "\ufffe",
]
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
short = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
names = (
    st.lists(
        st.sampled_from(
            ["a", "A", "é", "e\u0301", "con", "x.md", ".git", "n" * 200, "日本", "-rf", "a b", "%2F", "~"]
        ),
        min_size=1,
        max_size=3,
    )
    .map("/".join)
    .filter(lambda name: len(name) <= 255)
)
chats = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["system", "user", "a --> b", '"']), "content": texts}
        ),
        st.just({"type": "placeholder", "name": "history"}),
    ),
    min_size=1,
    max_size=3,
).map(messages.dump)
jsons = st.dictionaries(
    short,
    st.one_of(
        st.none(), st.booleans(), st.integers(-9, 2**60), st.floats(-9, 9), short, st.lists(short, max_size=2)
    ),
    max_size=3,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "title": texts.map(str.strip).filter(bool),
        "status": st.sampled_from(["draft", "active", "archived"]),
        "language": st.sampled_from(["", "ja", "pt-BR"]),
        "tags": st.lists(texts.map(lambda text: text[:64]).filter(str.strip), max_size=3),
        "metadata": jsons,
        "config": jsons,
        "name": names,
    },
)
which, numbers, kinds = st.integers(0, 3), st.integers(1, 3), st.sampled_from(["production", "b"])
contents = st.one_of(texts, chats)
creations = st.tuples(
    st.just("create"), names, contents, fields, st.sampled_from(["simple", "simple", "jinja2"])
)
changes = st.one_of(
    st.tuples(st.just("edit"), which, contents, fields, texts),
    st.tuples(st.just("edit"), which, texts, fields, texts),
    st.tuples(st.just("edit"), which, st.none(), fields, texts),
    st.tuples(st.just("label"), which, kinds, numbers, texts),
    st.tuples(st.just("label"), which, kinds, numbers, texts),
    st.tuples(st.just("undo"), which, kinds, st.booleans()),
    st.tuples(st.just("trash"), which, st.integers(0, 3)),
    st.tuples(st.just("restore"), which, st.integers(0, 2)),
    st.tuples(st.just("evaluate"), which, numbers, st.floats(0, 1), jsons, short),
)
operations = st.tuples(
    st.lists(creations, min_size=2, max_size=4),
    st.lists(changes, min_size=6, max_size=20),
    st.lists(creations, max_size=2),
    st.lists(changes, max_size=6),
).map(lambda parts: [step for part in parts for step in part])


def clear() -> None:
    Prompt.everything.all().delete()


def perform(users: list[User], steps: list[tuple[Any, ...]]) -> None:
    """What is refused is left out."""
    for at, step in enumerate(steps):
        with suppress(ValidationError, RegistryProblem):
            _perform(users[at % len(users)], step)


def _perform(user: User, step: tuple[Any, ...]) -> None:
    kind, *values = step
    if kind == "create":
        name, content, more, template_format = values
        made = {"title": name[-20:].strip("/ ") or "t"} | more | {"name": name}
        chat = "chat" if content.startswith("[\n{") else "text"
        prompt = Prompt(user=user, type=chat, content=content, template_format=template_format, **made)
        save_prompt(prompt, author=user)
        return
    if kind == "restore":
        prompts = Prompt.everything.order_by("created_at", "pk")
    else:
        prompts = Prompt.objects.order_by("created_at", "pk")
    prompt = (list(prompts) or [None])[values[0] % max(1, len(prompts))]
    if prompt is None:
        return
    number = values[1] if kind in ("trash", "restore", "evaluate") else 0
    if kind == "edit":
        _, content, more, message = values
        for name, value in ({"content": content} if content else {} | more).items():
            setattr(prompt, name, value)
        save_prompt(prompt, author=user, message=message)
    elif kind == "label":
        labels.move_label(prompt, values[1], values[2], actor=user, reason=values[3])
    elif kind == "undo":
        (labels.undo if values[2] else labels.remove_label)(prompt, values[1], actor=None)
    elif kind == "trash":
        if number:
            trash.delete_version(prompt, number, actor=user)
        else:
            trash.delete_prompt(prompt, actor=user)
    elif kind == "restore":
        if number:
            trash.restore_version(prompt, number, actor=user)
        else:
            trash.restore_prompt(prompt, actor=user)
    else:
        _, _, score, metrics, item = values
        version = prompt.versions.filter(version=number).first()
        Evaluation.objects.create(prompt=prompt, version=version, score=score, metrics=metrics, item=item)


def everything(*, with_ids: bool = True) -> dict[str, Any]:
    """All rows but the keys of moves, labels and evaluations, which nothing outside knows."""
    places: dict[int, tuple[str, int]] = {}
    moves = []
    for move in LabelMove.objects.order_by("prompt_id", "pk"):
        places[move.pk] = move.prompt.name, sum(1 for name, _ in places.values() if name == move.prompt.name)
        row = _row(move, "id", "undoes_id")
        moves.append({**row, "undoes": places.get(move.undoes_id or 0)})
    found = {
        "prompts": [_row(one) for one in Prompt.everything.all()],
        "versions": [_row(one) for one in PromptVersion.objects.all()],
        "labels": [_row(one, "id", "created_at") for one in PromptLabel.objects.all()],
        "moves": moves,
        "past": [_row(one) for one in PromptFields.objects.all()],
        "evaluations": [_row(one, "id", "version_id") | _version(one) for one in Evaluation.objects.all()],
    }
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _version(one: Evaluation) -> dict[str, Any]:
    return {"version": one.version and one.version.version}


def _row(one: Any, *without: str) -> dict[str, Any]:
    return {
        field.attname: getattr(one, field.attname)
        for field in one._meta.concrete_fields
        if field.attname not in without
    }
