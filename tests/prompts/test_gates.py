"""Labels that move on evidence only."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from prompts import gates, trash
from prompts.errors import EvidenceMissing
from prompts.labels import move_label, remove_label, undo
from prompts.models import Evaluation, LabelMove, LabelPolicy, Prompt, PromptLabel

pytestmark = pytest.mark.django_db


@pytest.fixture
def prompt(make: Callable[..., Prompt]) -> Prompt:
    """With the versions 1 and 2; ``production`` serves the first."""
    prompt = make("p", "1")
    prompt.content = "2"
    prompt.save(index=False)
    move_label(prompt, "production", 1, actor=None)
    return prompt


def evaluate(prompt: Prompt, number: int, scores: Iterable[float], name: str = "", start: int = 0) -> None:
    version = prompt.versions.get(version=number)
    Evaluation.objects.bulk_create(
        Evaluation(prompt=prompt, version=version, name=name, item=f"item {start + at}", score=score)
        for at, score in enumerate(scores)
    )


def policy(evidence: str, **fields: Any) -> LabelPolicy:
    made = LabelPolicy(name="production", evidence=evidence, **fields)
    made.full_clean()
    made.save()
    return made


def promote(prompt: Prompt, number: int = 2) -> Any:
    return move_label(prompt, "production", number, actor=None)


def refused(prompt: Prompt, number: int = 2) -> EvidenceMissing:
    """The refusal, of which nothing is left in the database."""
    before = LabelMove.objects.count()
    with pytest.raises(EvidenceMissing) as caught:
        promote(prompt, number)
    assert LabelMove.objects.count() == before
    verdict = gates.weigh(prompt, "production", prompt.versions.get(version=number))
    assert (verdict.allowed, verdict.evidence) == (False, caught.value.evidence)
    assert verdict.reason == str(caught.value)
    return caught.value


def test_a_threshold_is_a_mean_of_enough_items(prompt: Prompt) -> None:
    policy("threshold", threshold=0.7, minimum_items=3)
    assert refused(prompt).expected == "at least 3 items evaluated"
    evaluate(prompt, 2, [0.6, 0.6, 0.6])
    assert (refused(prompt).expected, refused(prompt).got) == ("a mean score of at least 0.7", "0.6")
    evaluate(prompt, 2, [0.9, 0.9, 0.9])  # of the same items: the newest counts
    moved = promote(prompt)
    assert moved.evidence == {
        "test": "threshold",
        "n": 3,
        "p": None,
        "estimate": pytest.approx(0.9),
        "ci": None,
    }
    assert LabelMove.objects.first().evidence == moved.evidence


@pytest.mark.parametrize("score", [0.1, 0.7, 0.3, 1.0])
@pytest.mark.parametrize("count", [3, 10, 33])
def test_a_mean_that_is_the_threshold_is_enough(prompt: Prompt, score: float, count: int) -> None:
    policy("threshold", threshold=score, minimum_items=1)
    evaluate(prompt, 2, [score] * count)
    promote(prompt)


def test_evaluations_without_items_and_of_other_scores_do_not_count(prompt: Prompt) -> None:
    policy("threshold", threshold=0.5, minimum_items=1, score_name="facts")
    evaluate(prompt, 2, [1.0], name="style")
    evaluate(prompt, 1, [1.0], name="facts")
    Evaluation.objects.create(prompt=prompt, version=prompt.versions.first(), name="facts", score=1.0)
    assert refused(prompt).evidence["n"] == 0
    evaluate(prompt, 2, [1.0], name="facts")
    promote(prompt)


def test_better_is_told_by_a_paired_test(prompt: Prompt) -> None:
    policy("better", minimum_items=20)
    evaluate(prompt, 1, [0, 1] * 15)
    evaluate(prompt, 2, [1, 0] * 15)
    assert "better than version 1" in refused(prompt).expected
    Evaluation.objects.filter(version__version=2).delete()
    evaluate(prompt, 2, [1] * 30)
    evidence = promote(prompt).evidence
    assert (evidence["n"], evidence["estimate"]) == (30, 0.5)
    assert evidence["p"] < 0.05


def test_only_items_of_both_count(prompt: Prompt) -> None:
    policy("better", minimum_items=10)
    evaluate(prompt, 1, [0] * 12)
    evaluate(prompt, 2, [1] * 12, start=6)
    problem = refused(prompt)
    assert (problem.expected, problem.got) == ("at least 10 items that both versions were evaluated on", "6")
    Evaluation.objects.all().delete()
    assert refused(prompt).evidence["n"] == 0


@pytest.mark.parametrize(("margin", "is_allowed"), [(0.0, False), (0.05, False), (0.4, True)])
def test_not_worse_allows_for_a_margin(prompt: Prompt, margin: float, is_allowed: bool) -> None:
    policy("not_worse", minimum_items=10, margin=margin)
    evaluate(prompt, 1, [0.8, 0.9, 1.0, 0.7] * 10)
    evaluate(prompt, 2, [0.7, 0.8, 0.9, 0.6] * 10)
    if is_allowed:
        assert promote(prompt).move
    else:
        assert "not worse than version 1" in refused(prompt).expected


def test_taking_a_label_off_is_no_way_around_its_policy(prompt: Prompt) -> None:
    policy("better", minimum_items=3)
    evaluate(prompt, 1, [1] * 10)
    evaluate(prompt, 2, [0] * 10)
    refused(prompt)
    remove_label(prompt, "production", actor=None)
    assert "better than version 1" in refused(prompt).expected


def test_nor_is_deleting_what_it_serves(prompt: Prompt) -> None:
    policy("better", minimum_items=3)
    evaluate(prompt, 1, [1] * 10)
    evaluate(prompt, 2, [0] * 10)
    trash.delete_version(prompt, 1, actor=None)
    assert "better than version 1" in refused(prompt).expected


def test_the_first_that_a_label_serves_has_to_be_evaluated(prompt: Prompt) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER afn_label_moves_not_deleted")
    LabelMove.objects.all().delete()
    PromptLabel.objects.all().delete()
    policy("better", minimum_items=3)
    assert refused(prompt).expected == "at least 3 items evaluated"
    evaluate(prompt, 2, [0] * 3)
    assert promote(prompt).evidence["n"] == 3


def test_to_go_back_asks_for_no_evidence(prompt: Prompt) -> None:
    promote(prompt)
    policy("better")
    assert undo(prompt, "production", actor=None).version == 1
    refused(prompt)


def test_other_labels_ask_for_nothing(prompt: Prompt) -> None:
    policy("better")
    assert move_label(prompt, "beta", 2, actor=None).evidence is None
    assert gates.weigh(prompt, "beta", prompt.versions.first()).allowed


def test_of_very_many_evaluations_the_newest_count(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "MAX_ITEMS", 3)
    evaluate(prompt, 2, [0.0] * 5)
    evaluate(prompt, 2, [1.0] * 3)
    created = Evaluation.objects.filter(score=1.0).first().created_at
    Evaluation.objects.filter(score=0.0).update(created_at=created.replace(year=2020))
    assert set(gates.scores_by_item(prompt.versions.first()).values()) == {1.0}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": "latest"}, "name"),
        ({"name": "A"}, "name"),
        ({"evidence": "threshold"}, "threshold"),
        ({"evidence": "luck"}, "evidence"),
        ({"threshold": 1.5}, "threshold"),
        ({"confidence": 0.1}, "confidence"),
        ({"margin": -1.0}, "margin"),
        ({"minimum_items": 0}, "minimum_items"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(fields: dict[str, Any], name: str, db: None) -> None:
    with pytest.raises(ValidationError) as caught:
        LabelPolicy(**{"name": "production", **fields}).full_clean()
    assert list(caught.value.error_dict) == [name]
