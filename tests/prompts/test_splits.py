"""Split labels: sticky arms, counts, and a test that may be looked at any time."""

from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError

from prompts import splits
from prompts.errors import EvidenceMissing, NotThere, Protected, Refused, RegistryProblem
from prompts.labels import move_label, undo
from prompts.models import LabelPolicy, LabelSplit, Prompt, SplitSubject, User
from prompts.serving import reading
from prompts.trash import delete_version

pytestmark = pytest.mark.django_db
ARMS = [{"version": 1, "weight": 70}, {"version": 2, "weight": 30}]


@pytest.fixture
def prompt(user: User) -> Prompt:
    made = Prompt.objects.create(user=user, name="p", title="P", content="one")
    for content in ("two", "three"):
        made.content = content
        made.save()
    move_label(made, "production", 1, actor=None)
    return made


def start(prompt: Prompt, arms: Any = ARMS, **values: Any) -> LabelSplit:
    return splits.start_split(prompt, "production", arms, actor=None, **values)


def test_a_subject_always_gets_the_same_version_and_weights_hold(prompt: Prompt) -> None:
    start(prompt)
    served = {
        f"user-{number}": reading.read("p", label="production", subject=f"user-{number}").version
        for number in range(1_000)
    }
    for subject in list(served)[:50]:
        assert reading.read("p", label="production", subject=subject).version == served[subject]
    assert 250 < Counter(served.values())[2] < 350
    assert SplitSubject.objects.count() == 1_000


def test_without_a_subject_or_a_split_the_label_serves_its_version(prompt: Prompt) -> None:
    assert reading.read("p", label="production", subject="a").version == 1
    start(prompt, [{"version": 1, "weight": 1}, {"version": 2, "weight": 1_000_000}])
    assert reading.read("p", label="production").version == 1
    assert reading.read("p", label="production", subject="a").version == 2
    assert reading.read("p", label="production", version=None, subject="").version == 1
    splits.end_split(prompt, "production", actor=None)
    assert reading.read("p", label="production", subject="a").version == 1


def test_names_of_subjects_are_not_kept(prompt: Prompt) -> None:
    start(prompt)
    reading.read("p", label="production", subject="hikaru@example.org")
    assert "hikaru" not in SplitSubject.objects.get().subject


def test_outcomes_are_counted_by_arm(prompt: Prompt) -> None:
    split = start(prompt, [{"version": 1, "weight": 1}, {"version": 2, "weight": 1}])
    arms = {}
    for number in range(400):
        subject = f"user-{number}"
        arms[subject] = reading.read("p", label="production", subject=subject).version
        # What version 2 does succeeds always, what version 1 does every other time.
        splits.record_outcome(prompt, "production", subject, float(arms[subject] == 2 or number % 2))
    found = splits.report(split)
    control, other = found["arms"]
    assert control["exposures"] + other["exposures"] == 400
    assert other["rate"] == 1
    assert 0.4 < control["rate"] < 0.6
    assert found["stop"]
    assert found["winner"] == 2
    assert found["p"] < 0.001
    assert other["fisher_p"] < 0.001
    assert other["versus_control"]["estimate"] == pytest.approx(1 - control["rate"])
    assert found["sample_ratio_p"] > 0.001


def test_without_a_difference_it_does_not_stop(prompt: Prompt) -> None:
    split = start(prompt)
    assert not splits.report(split)["stop"]
    for number in range(300):
        reading.read("p", label="production", subject=f"user-{number}")
        splits.record_outcome(prompt, "production", f"user-{number}", float(number % 2))
    found = splits.report(split)
    assert (found["stop"], found["winner"]) == (False, None)


def test_the_first_outcome_of_a_subject_counts(prompt: Prompt) -> None:
    start(prompt)
    with pytest.raises(NotThere, match="subject"):
        splits.record_outcome(prompt, "production", "a", 1.0)
    reading.read("p", label="production", subject="a")
    splits.record_outcome(prompt, "production", "a", 1.0)
    splits.record_outcome(prompt, "production", "a", 1.0)
    with pytest.raises(Refused, match="value"):
        splits.record_outcome(prompt, "production", "a", 0.0)


def test_a_label_does_not_move_under_a_split(prompt: Prompt) -> None:
    start(prompt)
    for act in (
        lambda: move_label(prompt, "production", 2, actor=None),
        lambda: undo(prompt, "production", actor=None),
        lambda: start(prompt),
        lambda: delete_version(prompt, 2, actor=None),
    ):
        with pytest.raises(Refused):
            act()
    splits.end_split(prompt, "production", actor=None)
    assert move_label(prompt, "production", 2, actor=None).move


@pytest.mark.parametrize(
    ("arms", "field"),
    [
        ([{"version": 1, "weight": 1}], "arms"),
        ([{"version": 1, "weight": 1}] * 2, "arms"),
        ([{"version": 2, "weight": 1}, {"version": 1, "weight": 1}], "arms[0].version"),
        ([{"version": 1, "weight": 1}, {"version": 9, "weight": 1}], "arms[1].version"),
        ([{"version": 1, "weight": 1}, {"version": 2, "weight": 0}], "arms[1].weight"),
    ],
)
def test_it_refuses_wrong_arms(prompt: Prompt, arms: Any, field: str) -> None:
    with pytest.raises(RegistryProblem) as refusal:
        start(prompt, arms)
    assert refusal.value.field == field
    assert not LabelSplit.objects.exists()


def test_a_label_that_is_not_there_cannot_be_split(prompt: Prompt) -> None:
    for label in ("staging", "latest"):
        with pytest.raises(NotThere):
            splits.start_split(prompt, label, ARMS, actor=None)


def test_a_protected_label_is_split_by_who_may_move_it(prompt: Prompt) -> None:
    user = User.objects.create_user("editor", "editor@example.com")
    LabelPolicy.objects.create(name="production", is_protected=True)
    with pytest.raises(Protected):
        splits.start_split(prompt, "production", ARMS, actor=user)
    start(prompt)
    with pytest.raises(Protected):
        splits.end_split(prompt, "production", actor=user)


def test_the_arms_of_a_split_never_change(prompt: Prompt) -> None:
    split = start(prompt)
    with pytest.raises(IntegrityError, match="never change"):
        LabelSplit.objects.filter(pk=split.pk).update(arms=[])


@pytest.mark.parametrize("alpha", [0.0, 7.0, -1.0, float("nan")])
def test_an_alpha_that_is_none_is_refused(prompt: Prompt, alpha: float) -> None:
    with pytest.raises(RegistryProblem, match=r"alpha: expected 0\.0001 to 0\.5"):
        start(prompt, alpha=alpha)


@pytest.mark.parametrize("value", [5.0, -0.1, float("nan"), float("inf")])
def test_an_outcome_that_is_no_share_is_refused(prompt: Prompt, value: float) -> None:
    start(prompt)
    reading.read("p", label="production", subject="a")
    with pytest.raises(RegistryProblem, match="value: expected a number from 0 to 1"):
        splits.record_outcome(prompt, "production", "a", value)
    assert SplitSubject.objects.get().outcome is None


def test_a_split_is_no_way_around_a_gate(prompt: Prompt) -> None:
    LabelPolicy.objects.create(name="production", evidence="threshold", threshold=0.5, minimum_items=2)
    for version, score in ((2, 0.1), (3, 0.9)):
        for item in "ab":
            prompt.evaluations.create(version=prompt.versions.get(version=version), item=item, score=score)

    def arms(*weights: int) -> list[dict[str, int]]:
        return [{"version": at + 1, "weight": weight} for at, weight in enumerate(weights)]

    for too_many in (arms(49, 51), arms(1, 999, 1)):
        with pytest.raises(EvidenceMissing, match=r"arms: expected at most half of the weight") as refusal:
            start(prompt, too_many)
        assert refusal.value.evidence["n"] == 2
    assert not LabelSplit.objects.exists()
    start(prompt, arms(50, 50))
    splits.end_split(prompt, "production", actor=None)
    start(prompt, arms(1, 1, 998))  # the third version has what is asked for
