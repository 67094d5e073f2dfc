"""Which version brought each line."""

import random
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

import pytest

from prompts import blame as module
from prompts import trash
from prompts.blame import blame
from prompts.errors import NotThere, RegistryProblem
from prompts.models import Prompt, PromptVersion
from prompts.rendering import messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(make: Callable[..., Prompt]) -> Callable[..., Prompt]:
    """A prompt with versions of these contents."""

    def prompt(first: str, *contents: str, **fields: Any) -> Prompt:
        prompt = make("p", first, **fields)
        for number, content in enumerate(contents, start=2):
            prompt.content = content
            prompt.save(index=False, message=f"Change {number}")
        return prompt

    return prompt


def owners(prompt: Prompt, number: int) -> list[tuple[str, int]]:
    return [(line.text, line.version) for line in blame(prompt, number).lines]


def test_each_line_has_the_version_that_brought_it(history: Any) -> None:
    prompt = history("a\nb\nc\n", "a\nB\nc\n", "0\na\nB\nc\n", "0\na\nc\nB")
    assert owners(prompt, 3) == [("0\n", 3), ("a\n", 1), ("B\n", 2), ("c\n", 1)]
    assert owners(prompt, 1) == [("a\n", 1), ("b\n", 1), ("c\n", 1)]
    assert owners(prompt, 4)[-1] == ("B", 4)
    line = blame(prompt, 3).lines[2]
    assert (line.number, line.author, line.message) == (3, "aoi", "Change 2")
    assert blame(prompt, 4).is_complete


def test_a_line_that_comes_back_belongs_to_who_brought_it_back(history: Any) -> None:
    assert owners(history("a\nb\n", "a\n", "a\nb\n"), 3) == [("a\n", 1), ("b\n", 3)]


def test_versions_in_the_trash_brought_nothing(history: Any) -> None:
    prompt = history("a\n", "a\nb\n", "a\nb\nc\n")
    trash.delete_version(prompt, 2, actor=None)
    assert owners(prompt, 3) == [("a\n", 1), ("b\n", 3), ("c\n", 3)]
    for number in (2, 9):
        with pytest.raises(NotThere):
            blame(prompt, number)


def test_of_a_chat_the_transcript_counts(history: Any) -> None:
    chats = [messages.dump([{"role": "user", "content": text}]) for text in ("a\nb", "a\nB")]
    prompt = history(*chats, type="chat")
    assert owners(prompt, 2) == [("[user]\n", 1), ("a\n", 1), ("B", 2)]


def test_a_history_that_is_too_long_is_cut_and_says_so(history: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = history("a\n", "a\nb\n", "a\nb\nc\n")
    monkeypatch.setattr(module, "_MAX_LENGTH", 10)
    found = blame(prompt, 3)
    assert ([line.version for line in found.lines], found.is_complete) == ([2, 2, 3], False)


def test_more_lines_than_anybody_reads_are_refused(history: Any) -> None:
    with pytest.raises(RegistryProblem, match="at most 20,000 lines, got 20,001"):
        blame(history("a" + "\n" * 20_000 + "b"), 1)


def repetitive(chance: random.Random) -> str:
    """Passages of lines that repeat, each as long as is still matched within."""
    lines = [[f"{n}\n", *(chance.choice(["a\n", "b\n", "c\n"]) for _ in range(150))] for n in range(12)]
    return "".join(line for passage in lines for line in passage)


def test_repetitive_versions_share_what_time_there_is(history: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = history("x\n")
    chance = random.Random(7)
    PromptVersion.objects.bulk_create(
        PromptVersion(prompt=prompt, version=n, content=repetitive(chance), content_hash=str(n))
        for n in range(2, 60)
    )
    asked = []
    match = SequenceMatcher.get_matching_blocks
    monkeypatch.setattr(
        SequenceMatcher, "get_matching_blocks", lambda self: asked.append(len(self.a)) or match(self)
    )
    found = blame(prompt, 59)
    assert (len(found.lines), found.is_complete) == (1_812, False)
    assert 50 < len(asked) < 200  # of the 696 passages


def test_it_takes_the_same_queries_for_any_number_of_versions(
    history: Any, django_assert_num_queries: Any
) -> None:
    prompt = history(*(f"{n}\n" for n in range(12)))
    with django_assert_num_queries(2):  # lengths, versions with their authors
        blame(prompt, 12)
