"""Bringing chosen prompts of one database over to another.

A prompt that the target has not is created with its whole history. Where the target has not moved since the
last version that both had, the source's newer ones are appended as they are; where both moved, the contents
are merged by lines, and titles, tags and the like by what each side changed. All happens in one transaction,
or nothing where there is a conflict, or a prompt could not be composed any more. Nothing is ever deleted, and
evaluations stay where they were made.
"""

from collections import Counter
from collections.abc import Callable, Collection
from operator import attrgetter
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from .comparing import UnknownPrompts, find_ids, pair
from .database_pairs import Database, check_pair
from .events import tell
from .merge_composition import find_broken
from .merge_results import MergeConflict, MergedPrompt, MergeRefused, MergeResult
from .merge_rows import Builder, Rows, find_taken, read_origins, read_records, read_versions, slices
from .merge_steps import Conflict, Step
from .merge_users import find_user, map_users
from .models import Prompt, RegistryEpoch, User
from .models.prompt import index_later
from .states import ids_by_name, iterate_states
from .three_way import Side
from .validators import validate_text

_ATTEMPTS = 5
_INDEXED = 500  # prompts a task
_SHOWN = 10  # names in an error
T = TypeVar("T")


class _Moved(Exception):
    """A database is not what the plan was made for."""


def merge_prompts(
    source: str,
    target: str,
    *,
    names: Collection[str] | None = None,
    resolve: Side | None = None,
    author: User | None = None,
    dry_run: bool = False,
    message: str = "",
    source_name: str = "",
    target_name: str = "",
) -> MergeResult:
    """Bring the prompts of these names, or all, from the database `source` over to `target`, both aliases.

    With `resolve`, ``"ours"`` has the target win each conflict and ``"theirs"`` the source. `author`, a user
    of any database, signs what is merged and owns what nobody there can own. The message of a version that
    was merged says from where, followed by `message`. Result and messages call the databases `source_name`
    and `target_name`, by default by their aliases. The search index follows after the commit, as when
    prompts are saved.

    Raises ``MergeConflict``, which a `dry_run` puts into its result instead, ``UnknownPrompts``,
    ``MergeRefused`` or another ``MergeProblem``; and ``OperationalError``, such as where the target is
    frozen.
    """
    if resolve not in (None, "ours", "theirs"):
        raise MergeRefused(f"resolve: expected ours, theirs or nothing, got {resolve!r:.80}.")
    here, there = Database(source, source_name), Database(target, target_name)
    check_pair(here, there)
    _check_message(message)
    failure = ""
    for _ in range(_ATTEMPTS):
        try:
            plan = _Plan(here, there, names, resolve)
            rows = plan.rows(author, message) if plan.steps and not plan.conflicts else None
            if rows:
                plan.conflicts = plan.broken(rows)
            result = plan.result(dry_run)
            if result.conflicts and not dry_run:
                raise MergeConflict(result)
            if rows and not dry_run:
                plan.write(rows)
        except _Moved:
            continue
        except IntegrityError as error:
            # Once, what was written meanwhile may be why, such as a user deleted; twice, what is merged is.
            if str(error) == failure:
                raise MergeRefused(
                    f"{there} does not take what is merged: {error}. Nothing was written. "
                    f"Mend what plain SQL wrote in {here} or {there}."
                ) from error
            failure = str(error)
            continue
        return result
    raise MergeRefused(
        f"{there} was changed {_ATTEMPTS} times while the merge was prepared; nothing was written. "
        "Name fewer prompts, or try again when it is less busy."
    )


class _Plan:
    """Everything that takes time, done before the transaction: a server ends one that waits."""

    def __init__(
        self, source: Database, target: Database, names: Collection[str] | None, resolve: Side | None
    ) -> None:
        self.source, self.target = source, target
        self.epoch = _read_epoch(target.alias)
        ids = None if names is None else find_ids(source, target, names)
        steps = [Step(mine, other) for mine, other in pair(source.alias, target.alias, ids) if mine]
        _check_names(source, names or (), steps)
        self.steps = [step for step in steps if step.moves_content or step.moves_fields]
        self._refuse_unversioned()
        self._read()
        payloads = {key: version.payload for key, version in (self.versions | self.ours).items()}
        for step in self.steps:
            step.merge_content(payloads, resolve)
            step.merge_fields(self.values, resolve)
        self.steps = [step for step in self.steps if step.has_effect]
        self.unchanged = len(steps) - len(self.steps)
        self.conflicts = [one for step in self.steps for one in step.conflicts] or self._taken()

    def result(self, dry_run: bool) -> MergeResult:
        steps = [] if self.conflicts else self.steps
        prompts = [
            MergedPrompt(
                step.key, step.fields["name"], step.action, len(step.new_versions) + step.adds_version
            )
            for step in steps
        ]
        by_name = sorted(prompts, key=attrgetter("name"))
        return MergeResult(
            str(self.source),
            str(self.target),
            tuple(by_name),
            self.unchanged,
            tuple(self.conflicts),
            dry_run,
        )

    def rows(self, author: User | None, message: str) -> Rows:
        """Raises ``MergeRefused`` where nobody in the target can own a prompt."""
        owners = {step.source.user_id for step in self.steps if step.target is None}
        authors = {version.author_id for version in self.versions.values() if version.author_id}
        users = map_users(self.source.alias, self.target.alias, owners | authors)
        deputy = find_user(self.target.alias, author)
        created = [step.key for step in self.steps if not step.target]
        if deputy is None and (strange := owners - set(users)):
            name = next(step.source.name for step in self.steps if step.source.user_id in strange)
            raise MergeRefused(
                f"{self.target} does not know the user who owns {name!r}, nor another one to own it: "
                "pass an author (--author) who has an account there."
            )
        keys = {one.id: step.key for step in self.steps for one in (*step.new_versions, *step.new_records)}
        builder = Builder(
            source=str(self.source),
            message=message,
            users=users,
            author=deputy,
            taken=find_taken(self.target.alias, keys),
            versions=self.versions,
            records=self.records,
            origins=_read(read_origins, self.source.alias, created),
        )
        for step in self.steps:
            builder.add(step)
        return builder.rows

    def broken(self, rows: Rows) -> list[Conflict]:
        """What could not be composed any more."""
        before = {step.key: step.target for step in self.steps if step.target}
        return find_broken(rows, before, self.target.alias)

    def write(self, rows: Rows) -> None:
        """All or nothing; raises ``_Moved`` where the target is not what it was."""
        using = self.target.alias
        with transaction.atomic(using=using):
            expected = {step.target.id: step.target for step in self.steps if step.target}
            stored = iterate_states(using, [step.key for step in self.steps])
            if {state.id: state for state in stored} != expected or self._taken():
                raise _Moved
            if _read_epoch(using) != self.epoch and self.broken(rows):
                raise _Moved
            rows.write(using)
            for event in rows.events():
                tell(event, using)
            ids = rows.changed
            # Robust: the merge counts even while the embedder is out of reach.
            transaction.on_commit(lambda: _index(ids, using), using=using, robust=True)

    def _refuse_unversioned(self) -> None:
        if wild := [step.source.name for step in self.steps if step.is_unversioned]:
            raise MergeRefused(
                f"The content of {', '.join(map(repr, wild[:_SHOWN]))} was written with plain SQL and is no "
                f"version yet. Run `manage.py embed_prompts` in {self.source} and {self.target} first."
            )

    def _read(self) -> None:
        """Versions and records that the target lacks, and what of its own the merges need."""
        steps, source, target = self.steps, self.source.alias, self.target.alias
        self.versions = _read(read_versions, source, [one.id for step in steps for one in step.new_versions])
        stored = [one.id for step in steps for one in step.new_records if one != step.unrecorded]
        self.records = _read(read_records, source, stored)
        ours: list[str] = []
        for step in steps:
            if step.is_diverged and step.target and step.target.newest:
                base = step.versions.base_there
                ours += [step.target.newest.id, *([base.id] if base else [])]
        self.ours = _read(read_versions, target, ours)
        bases = [step.records.base_there.id for step in steps if step.records.base_there]
        self.values = {key: record.values for key, record in _read(read_records, target, bases).items()}

    def _taken(self) -> list[Conflict]:
        return self._taken_names() + self._in_the_trash()

    def _in_the_trash(self) -> list[Conflict]:
        """A prompt that was deleted in the target: bringing it back is a decision of its own."""
        created = {step.key: step for step in self.steps if step.target is None}
        trashed = Prompt.everything.using(self.target.alias).exclude(deleted_at=None)
        found = [
            key
            for ids in slices(sorted(created))
            for key in trashed.filter(pk__in=ids).values_list("pk", flat=True)
        ]
        text = f"It is in the trash of {self.target}: restore or purge it there first.\n"
        return [Conflict(created[key].source.name, "trash", text) for key in found]

    def _taken_names(self) -> list[Conflict]:
        """Names are unique: one that another prompt of the target has, or gets, cannot be given."""
        given = [step for step in self.steps if not step.target or step.target.name != step.fields["name"]]
        claims = Counter(step.fields["name"] for step in given)
        leaving = {step.key for step in given}
        holders = ids_by_name(self.target.alias, claims)
        return [
            Conflict(step.source.name, "name", f"The name {name!r} is another prompt's in {self.target}.\n")
            for step in given
            if (name := step.fields["name"])
            and (claims[name] > 1 or holders.get(name, step.key) not in leaving)
        ]


def _check_message(message: str) -> None:
    try:
        validate_text(message)
    except ValidationError as error:
        raise MergeRefused(f"message: {' '.join(error.messages)}") from error


def _check_names(source: Database, names: Collection[str], steps: Collection[Step]) -> None:
    known = {state.name for step in steps for state in (step.source, step.target) if state}
    if unknown := set(names) - known:
        raise UnknownPrompts(unknown, str(source))


def _read(read: Callable[[str, list[str]], dict[str, T]], using: str, ids: list[str]) -> dict[str, T]:
    """All rows of these ids; what was there a moment ago may have been deleted."""
    found = read(using, ids)
    if len(found) < len(set(ids)):
        raise _Moved
    return found


def _read_epoch(using: str) -> tuple[str, int] | None:
    """Another one where anything that is served was changed."""
    return RegistryEpoch.objects.using(using).values_list("generation", "number").first()


def _index(ids: list[str], using: str) -> None:
    for start in range(0, len(ids), _INDEXED):
        index_later(ids[start : start + _INDEXED], using)
