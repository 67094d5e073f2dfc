"""Judgements and runs in the console: to be looked at and deleted, not written."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from vectors import store
from vectors.models import Collection
from vectors.relevance.judging import judge
from vectors.relevance.models import EvaluationRun, Judgement

from .conftest import text_of


@pytest.fixture
def notes(db: None) -> Collection:
    return store.create_collection("notes")


@pytest.fixture
def judgement(notes: Collection) -> Judgement:
    judge(notes, "狐はどこ？", "faq/fox", 0, source="api")
    return judge(notes, "red fox " * 30, "faq/fox", 3, by="ben")


@pytest.fixture
def run(notes: Collection) -> EvaluationRun:
    figures = {
        "ndcg@10": {"mean": 0.8124, "low": 0.7, "high": 0.9},
        "mrr@10": {"mean": 1, "low": None, "high": None},
    }
    return EvaluationRun.objects.create(
        collection=notes,
        mode="hybrid",
        source="judgements",
        n=9,
        metrics=figures,
        scores={"secret": ["x", 1]},
    )


def test_judgements_are_listed_narrowed_and_found(admin: Client, judgement: Judgement):
    page = reverse("admin:vectors_judgement_changelist")
    text = text_of(admin.get(page))
    assert "狐はどこ？" in text
    assert "red fox red fox" in text
    assert "…" in text
    for query, number in [
        ("q=red", 1),
        ("q=faq/fox", 2),
        ("language__exact=ja", 1),
        ("source__exact=click", 1),
    ]:
        assert admin.get(f"{page}?{query}").context["cl"].result_count == number, query


def test_runs_are_listed_with_their_intervals(admin: Client, run: EvaluationRun):
    text = text_of(admin.get(reverse("admin:vectors_evaluationrun_changelist")))
    assert "0.812 (0.700–0.900)" in text
    assert "1.000" in text
    detail = text_of(admin.get(reverse("admin:vectors_evaluationrun_change", args=[run.pk])))
    assert "ndcg@10 0.812 (0.700–0.900), mrr@10 1.000" in detail
    assert "secret" not in detail


@pytest.mark.parametrize("name", ["judgement", "evaluationrun"])
def test_neither_can_be_written_here(admin: Client, judgement: Judgement, run: EvaluationRun, name: str):
    row = judgement if name == "judgement" else run
    assert admin.get(reverse(f"admin:vectors_{name}_add")).status_code == 403
    page = reverse(f"admin:vectors_{name}_change", args=[row.pk])
    assert admin.get(page).status_code == 200
    assert admin.post(page, {"grade": 1}).status_code == 403
    assert (
        admin.post(reverse(f"admin:vectors_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 302
    )
    assert not type(row).objects.filter(pk=row.pk).exists()


def test_a_list_costs_the_same_however_long_it_is(
    admin: Client, notes: Collection, django_assert_max_num_queries: Callable[..., object]
):
    for number in range(30):
        judge(notes, f"query {number}", "k", 1)
    with django_assert_max_num_queries(12):
        admin.get(reverse("admin:vectors_judgement_changelist"))


def test_who_may_not_look_sees_nothing(
    staff: Callable[..., Client], judgement: Judgement, run: EvaluationRun
):
    client = staff("view_collection")
    for name in ("judgement", "evaluationrun"):
        assert client.get(reverse(f"admin:vectors_{name}_changelist")).status_code == 403
    client.logout()
    assert client.get(reverse("admin:vectors_judgement_changelist")).status_code == 302


def test_a_collection_is_deleted_with_them(
    admin: Client, notes: Collection, judgement: Judgement, run: EvaluationRun
):
    page = reverse("admin:vectors_collection_delete", args=[notes.pk])
    assert admin.get(page).status_code == 200
    admin.post(page, {"post": "yes"})
    assert Collection.objects.filter(name="notes").exists()
    admin.post(page, {"post": "yes", "typed_name": "notes"})
    assert not Collection.objects.filter(name="notes").exists()
    assert not Judgement.objects.exists()
