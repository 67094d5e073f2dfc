"""Evaluations of versions in files: lines ``{"prompt", "version", "item", "score", "name", "metrics"}``.

What is there already is not written again. A line without ``created_at`` is there where an evaluation of the
same values is, whenever it was made; where a file has a line twice, the registry has it twice.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, transaction

from vectors.validation import metadata_json

from ..models import Evaluation, Prompt, PromptVersion
from .json_lines import Records, dump_line, open_file, read_lines
from .moments import as_text, read_optional
from .problems import ImportFileError, Refusal, WrongValue, shown, values_within

MAX_LINES: Final = 1_000_000
_MEMBERS: Final = {"prompt", "version", "item", "score", "name", "metrics", "created_at"}
_CHUNK: Final = 500  # rows a transaction
_NAMES: Final = 500  # values bound to a statement

Track = Callable[[Sequence[Any], str], Iterable[Any]]
# What tells evaluations of a version apart, but for when they were made: name, item, score, metrics.
Key = tuple[str, str, float, str]


@dataclass
class EvaluationsResult:
    """Of lines. ``failed`` were refused; with ``strict`` nothing is written where there is one."""

    created: int = 0
    unchanged: int = 0
    failed: list[Refusal] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    number: int
    prompt: str
    version: int
    values: dict[str, Any]
    created_at: datetime | None

    @property
    def key(self) -> Key:
        return key_of(self.values)


def import_evaluations(
    path: Path,
    *,
    strict: bool = False,
    dry_run: bool = False,
    using: str = DEFAULT_DB_ALIAS,
    track: Track = lambda rows, label: rows,
) -> EvaluationsResult:
    """Write the evaluations of a file that are not there yet. `dry_run` counts as a real run does.

    Raises ``ImportFileError`` where the file cannot be read, has no line of JSON or more than a million.
    """
    result = EvaluationsResult()
    with open_file(path) as file:
        lines = _read(path.name, read_lines(file), result)
    found = _find_versions(lines, result, using)
    result.failed.sort(key=lambda one: one.line)
    if strict and result.failed:
        return EvaluationsResult(failed=result.failed)
    new = _choose_new(found, using)
    result.created, result.unchanged = len(new), len(found) - len(new)
    if not dry_run:
        _write(new, strict, using, track)
    return result


def export_evaluations(
    *, name: str | None = None, prompt: str | None = None, using: str = DEFAULT_DB_ALIAS
) -> Iterator[str]:
    """Lines that an import takes, of kept versions of kept prompts, or of the one of that name, or of one
    score; in the order in which they were made.
    """
    rows = Evaluation.objects.using(using).filter(
        prompt__deleted_at=None, version__isnull=False, version__deleted_at=None
    )
    if name is not None:
        rows = rows.filter(name=name)
    if prompt is not None:
        rows = rows.filter(prompt__name=prompt)
    # Moments that the database gave have fewer digits than those that are asked for: pages go by ids.
    keys = list(rows.order_by("created_at", "pk").values_list("pk", flat=True))
    for start in range(0, len(keys), _NAMES):
        part = keys[start : start + _NAMES]
        page = {row["pk"]: row for row in rows.filter(pk__in=part).order_by().values(*_COLUMNS)}
        for row in filter(None, map(page.get, part)):
            yield dump_line(
                {
                    "prompt": row["prompt__name"],
                    "version": row["version__version"],
                    "item": row["item"],
                    "score": row["score"],
                    "name": row["name"],
                    "metrics": row["metrics"],
                    "created_at": as_text(row["created_at"]),
                }
            )


_COLUMNS: Final = (
    "pk", "prompt__name", "version__version", "item", "score", "name", "metrics", "created_at",
)  # fmt: skip


def check_evaluation(value: dict[str, Any], where: str = "") -> tuple[dict[str, Any], datetime | None]:
    """The values of an evaluation, and when it was made. Raises ``WrongValue``."""
    before = f"{where}." if where else ""
    score = value.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise WrongValue(f"{before}score", "a number from 0 to 1", shown(score))
    texts = {name: value.get(name) or "" for name in ("name", "item")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise WrongValue(before + name, "text", shown(text))
    values = {**texts, "score": float(score), "metrics": value.get("metrics") or {}}
    with values_within(where):
        Evaluation(**values).clean_fields(exclude=["prompt", "version", "run"])
    return values, read_optional(value.get("created_at"), f"{before}created_at")


def key_of(values: Mapping[str, Any]) -> Key:
    return values["name"], values["item"], values["score"], metadata_json(values["metrics"])


def are_new(
    given: Sequence[tuple[Any, Key, datetime | None]], stored: Iterable[tuple[Any, Key, datetime]]
) -> list[bool]:
    """Which of them are not stored yet; each is a version, what was found out, and when.

    Those with a moment choose first: what they are must not be taken by one that is content with any.
    """
    left: dict[tuple[Any, Key], Counter[datetime]] = defaultdict(Counter)
    for version, key, made in stored:
        left[version, key][made] += 1
    new = [True] * len(given)
    order = sorted(range(len(given)), key=lambda at: given[at][2] is None)
    for at in order:
        version, key, moment = given[at]
        moments = left[version, key]
        taken = moment if moment is not None else next(iter(moments), None)
        if taken is not None and moments[taken] > 0:
            new[at] = False
            moments[taken] -= 1
        if taken is not None and moments[taken] <= 0:
            del moments[taken]
    return new


def _read(name: str, records: Records, result: EvaluationsResult) -> list[_Line]:
    lines: list[_Line] = []
    for count, (number, record) in enumerate(records, start=1):
        if count > MAX_LINES:
            raise ImportFileError(f"{name}: expected at most {MAX_LINES:,} lines, got more. Split the file.")
        try:
            if isinstance(record, Refusal):
                result.failed.append(record)
            else:
                lines.append(_line(number, record))
        except WrongValue as wrong:
            result.failed.append(wrong.at(number))
    if not lines and all(refusal.field == "row" for refusal in result.failed):
        got = f"{result.failed[0].got!r} in line {result.failed[0].line}" if result.failed else "nothing"
        raise ImportFileError(f"{name}: expected one JSON object a line, got {got}.")
    return lines


def _line(number: int, record: dict[str, Any]) -> _Line:
    if strange := [name for name in record if name not in _MEMBERS]:
        raise WrongValue(strange[0][:80], f"no members but {', '.join(sorted(_MEMBERS))}", "another one")
    prompt, version = record.get("prompt"), record.get("version")
    if not isinstance(prompt, str) or not prompt or "\0" in prompt:
        raise WrongValue("prompt", "the name of a prompt", shown(prompt))
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version < 2**31:
        raise WrongValue("version", "the number of a version", shown(version))
    values, moment = check_evaluation(record)
    return _Line(number, prompt, version, values, moment)


def _find_versions(
    lines: Sequence[_Line], result: EvaluationsResult, using: str
) -> list[tuple[_Line, PromptVersion]]:
    names = sorted({line.prompt for line in lines if _is_storable(line.prompt)})
    versions: dict[tuple[str, int], PromptVersion] = {}
    known: set[str] = set()
    for start in range(0, len(names), _NAMES):
        part = names[start : start + _NAMES]
        known |= set(Prompt.objects.using(using).filter(name__in=part).values_list("name", flat=True))
        rows = (
            PromptVersion.objects.using(using).kept().filter(prompt__name__in=part, prompt__deleted_at=None)
        )
        for version in rows.select_related("prompt").only("pk", "version", "prompt__name").order_by():
            versions[version.prompt.name, version.version] = version
    found: list[tuple[_Line, PromptVersion]] = []
    for line in lines:
        stored = versions.get((line.prompt, line.version))
        if stored:
            found.append((line, stored))
            continue
        wrong = (
            WrongValue("version", f"a version of {line.prompt}", str(line.version))
            if line.prompt in known
            else WrongValue("prompt", "the name of a prompt", repr(line.prompt[:255]))
        )
        result.failed.append(wrong.at(line.number))
    return found


def _choose_new(
    found: Sequence[tuple[_Line, PromptVersion]], using: str
) -> list[tuple[_Line, PromptVersion]]:
    keys = sorted({version.pk for _, version in found})
    stored: list[tuple[str, Key, datetime]] = []
    for start in range(0, len(keys), _NAMES):
        rows = Evaluation.objects.using(using).filter(version__in=keys[start : start + _NAMES]).order_by()
        for row in rows.values("version_id", "name", "item", "score", "metrics", "created_at").iterator():
            stored.append((row["version_id"], key_of(row), row["created_at"]))
    given = [(version.pk, line.key, line.created_at) for line, version in found]
    return [one for one, is_new in zip(found, are_new(given, stored), strict=True) if is_new]


def _write(new: Sequence[tuple[_Line, PromptVersion]], strict: bool, using: str, track: Track) -> None:
    """With `strict` in one transaction; else a batch in each, for servers end one that takes long."""
    batches = [new[start : start + _CHUNK] for start in range(0, len(new), _CHUNK)]
    with transaction.atomic(using=using) if strict else nullcontext():
        for batch in track(batches, "Importing"):
            rows = (
                make_evaluation(version.prompt_id, version.pk, line.values, line.created_at)
                for line, version in batch
            )
            with transaction.atomic(using=using):
                Evaluation.objects.using(using).bulk_create(rows)


def make_evaluation(
    prompt_id: str, version_id: str | None, values: dict[str, Any], created_at: datetime | None
) -> Evaluation:
    """Without a moment the database says when."""
    moment = {} if created_at is None else {"created_at": created_at}
    return Evaluation(prompt_id=prompt_id, version_id=version_id, **values, **moment)


def _is_storable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
