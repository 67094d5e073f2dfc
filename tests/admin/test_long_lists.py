"""Lists that may be long: how far they count, and what they make once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from unfold.templatetags import unfold_list

from prompts.admin import keeping
from prompts.models import Prompt
from vectors.admin import headers, paging

from .conftest import text_of


def test_rows_are_counted_as_far_as_they_are_paged_through(
    admin: Client, make: Callable[..., Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        make(f"p{number}")
    page = reverse("admin:prompts_promptversion_changelist")
    assert "4 prompt versions" in text_of(admin.get(page))
    monkeypatch.setattr(paging, "MOST", 3)
    with CaptureQueriesContext(connection) as queries:
        answer = admin.get(page)
    assert "the first 3; filter or search for others" in text_of(answer)
    counts = [one["sql"] for one in queries if "COUNT(" in one["sql"]]
    assert len(counts) == 1
    assert "LIMIT 3" in counts[0]


@pytest.mark.parametrize("model", ["promptversion", "evaluation", "labelmove", "prompt"])
def test_the_newest_are_read_by_an_index(admin: Client, model: str) -> None:
    changelist = admin.get(reverse(f"admin:prompts_{model}_changelist")).context["cl"]
    plan = changelist.queryset[:50].explain()
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan


def test_headers_are_made_once_a_list() -> None:
    made = []

    def make_headers(changelist: Any) -> Any:
        made.append(changelist)
        yield {"text": "Name"}

    class Changelist:
        pass

    once, one, other = headers.once_a_list(make_headers), Changelist(), Changelist()
    assert [list(once(which)) for which in (one, one, other)] == [[{"text": "Name"}]] * 3
    assert made == [one, other]
    assert hasattr(unfold_list.result_headers, "__wrapped__")


def test_what_filters_offer_is_kept_where_finding_it_took_long(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.forget()
    answers = iter([["a"], ["b"], ["c"]])

    @keeping.kept_where_slow
    def find() -> list[str]:
        return next(answers)

    assert [find(), find()] == [["a"], ["b"]]
    monkeypatch.setattr(keeping, "LONG", 0.0)
    assert [find(), find()] == [["c"], ["c"]]
    keeping.forget()
