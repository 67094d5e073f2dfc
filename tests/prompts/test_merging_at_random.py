"""Two databases that are edited and merged to and fro at random keep what a merge promises."""

import random

import pytest

from prompts import indexing
from prompts.merging import MergeConflict, merge_prompts
from prompts.models import Prompt, PromptFields, PromptVersion
from prompts.models.fields import FIELDS, hash_fields

from .databases import save

SIDES = ("left", "right")
NAMES = ("p", "q", "r")


def edit(chance: random.Random, using: str) -> None:
    """Make a prompt, or change some of its lines, its status or its name."""
    name = chance.choice(NAMES)
    prompt = Prompt.objects.using(using).filter(name=name).first()
    lines = (prompt.content if prompt else "1\n2\n3\n4\n5\n").splitlines(keepends=True)
    match chance.randrange(4):
        case 0 if prompt:
            prompt.name = f"{name} {chance.randrange(9)}"
            if not Prompt.objects.using(using).filter(name=prompt.name).exists():
                prompt.save(using=using)
        case 1:
            save(using, name, "".join(lines), status="active", tags=chance.sample("abc", 2))
        case _:
            lines[chance.randrange(len(lines))] = f"{chance.randrange(3)}\n"
            save(using, name, "".join(lines))


def check(using: str) -> None:
    for prompt in Prompt.objects.using(using):
        versions = list(PromptVersion.objects.using(using).filter(prompt=prompt.pk).order_by("version"))
        assert [one.version for one in versions] == list(range(1, len(versions) + 1))
        assert (prompt.version, prompt.content) == (versions[-1].version, versions[-1].content)
        # Histories that began apart have a first version each.
        assert {one.parent_id for one in versions} <= {None, *(one.pk for one in versions)}
        newest = PromptFields.objects.using(using).filter(prompt=prompt.pk).first()
        assert newest
        assert newest.values_hash == hash_fields({name: getattr(prompt, name) for name in FIELDS})
    assert indexing.count_outdated(using) == 0


@pytest.mark.parametrize("seed", [*range(10), 60, 66, 134, 215])
def test_edits_and_merges_to_and_fro(databases: tuple[str, str], seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(12):
        for _ in range(chance.randrange(4)):
            edit(chance, chance.choice(SIDES))
        source, target = chance.sample(SIDES, 2)
        try:
            merge_prompts(source, target, resolve=chance.choice([None, "ours", "theirs"]))
        except MergeConflict:
            continue
        assert merge_prompts(source, target).prompts == ()
        check(target)
