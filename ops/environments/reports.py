"""What commands print about environments, comparisons and merges: lines for people."""

import json
from collections.abc import Iterator

from django.template.defaultfilters import filesizeformat

from prompts.comparing import Comparison, Difference, PromptSummary
from prompts.merge_results import MergeResult

from .base import Environment, Provider
from .details import Detail, count_differences


def describe(environment: Environment) -> str:
    """One line of the list."""
    marks = [
        "current" * environment.is_current,
        "protected" * environment.is_protected,
        f"of {environment.parent}" if environment.parent else "",
        f"{environment.created_at:%Y-%m-%d %H:%M}" if environment.created_at else "",
        # With a plain space, for terminals. A server says 0 of a database that it has not measured yet.
        filesizeformat(environment.size).replace("\xa0", " ") if environment.size else "",
        f"FROZEN: {environment.frozen}" if environment.frozen else "",
    ]
    return f"{environment.name:<24} {' · '.join(filter(None, marks))}".rstrip()


def work_in(provider: Provider, environment: Environment) -> str:
    """How to work in an environment from now on."""
    variable = f"AFN_ENVIRONMENT={environment.name}"
    if provider.kind == "turso":
        variable = f"TURSO_DATABASE_URL={environment.address}"
    if provider.needs_token(environment.name):
        return (
            f"Work in it with {variable}, and TURSO_AUTH_TOKEN from "
            f"`manage.py environments token {environment.name}`."
        )
    return f"Work in it with {variable} before any command."


def describe_comparison(comparison: Comparison) -> Iterator[str]:
    """A line for each prompt that differs: ``-`` only left, ``+`` only right, ``~`` in both."""
    left, right = comparison.left, comparison.right
    if comparison.is_same:
        yield f"{left} and {right} have the same {_count(comparison.same, 'prompt')}."
        return
    yield f"--- {left}"
    yield f"+++ {right}"
    lines = [(one.name, _line("-", one)) for one in comparison.only_left]
    lines += [(one.name, _line("+", one)) for one in comparison.only_right]
    lines += [(one.right.name, _differing(one, left, right)) for one in comparison.differing]
    yield from (line for _, line in sorted(lines))
    yield (
        f"{_count(count_differences(comparison), 'prompt')} "
        f"{'differs' if count_differences(comparison) == 1 else 'differ'} "
        f"({len(comparison.only_left)} only in {left}, {len(comparison.only_right)} only in {right}), "
        f"{comparison.same} the same."
    )


def describe_detail(detail: Detail, left: str, right: str) -> Iterator[str]:
    """The other fields that differ, then the diff of the contents."""
    yield f"{printable(detail.name)}:"
    for name, (mine, other) in detail.fields.items():
        yield f"  {name}: {_value(mine)} → {_value(other)}"
    yield printable(detail.unified(left, right)).rstrip("\n") or "  The contents are the same."


def describe_merge(result: MergeResult) -> Iterator[str]:
    """What came over, or the conflicts that kept all of it from coming."""
    if result.conflicts:
        for conflict in result.conflicts:
            yield f"{printable(conflict.prompt)}, {printable(conflict.field)}:"
            yield printable(conflict.text)
        return
    for prompt in result.prompts:
        action = prompt.action.replace("_", "-")
        versions = f"  {_count(prompt.versions, 'version')}" if prompt.versions else ""
        yield f"{action:<15} {printable(prompt.name)}{versions}"
    came = "would come" if result.dry_run else "came"
    yield (
        f"{_count(len(result.prompts), 'prompt')} {came} from {result.source} to {result.target}; "
        f"{result.unchanged} had nothing new." + " Nothing was written (--dry-run)." * result.dry_run
    )


def describe_conflicts(result: MergeResult) -> str:
    """What to do about the conflicts of a merge."""
    return (
        f"Nothing was written: {_count(len(result.conflicts), 'conflict')}. Change one of the sides, or have "
        f"{result.target} win them with --ours, {result.source} with --theirs."
    )


def printable(text: str) -> str:
    """Without what a terminal would take for an order: contents are anybody's text."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)


def _line(sign: str, prompt: PromptSummary) -> str:
    return f"{sign} {printable(prompt.name):<40} {_count(prompt.versions, 'version')}"


def _differing(difference: Difference, left: str, right: str) -> str:
    mine, other = difference.left.name, difference.right.name
    name = printable(other if mine == other else f"{mine} → {other}")
    ahead = [
        f"{_count(len(versions), 'version')} more in {side}"
        for side, versions in ((left, difference.only_left), (right, difference.only_right))
        if versions
    ]
    facts = [", ".join(difference.differing) or "the same now", *ahead]
    if difference.common is None:
        facts.append("no common version")
    return f"~ {name:<40} {'; '.join(facts)}"


def _value(value: object) -> str:
    return printable(json.dumps(value, ensure_ascii=False))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
