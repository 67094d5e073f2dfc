"""The pages of one collection: what they show, to whom, and what their buttons do."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from ops.jobs import running
from ops.jobs.models import Job, JobState
from prompts.models import Prompt, PromptLabel, User
from vectors import store
from vectors.admin.pages import PAGES
from vectors.admin.words import differences
from vectors.migrating import changing
from vectors.models import Collection, Index
from vectors.relevance.models import EvaluationRun
from vectors.store import Item
from vectors.upkeep.tuning import apply, tune

from .conftest import text_of

COMMITTED = pytest.mark.django_db(transaction=True)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def notes(db: None) -> Collection:
    """Forty items of four kinds, two of them the same but for a word."""
    collection = store.create_collection("notes")
    words = ("fox", "bank", "tea", "rail")
    items = [
        Item(
            f"k{n}",
            f"{words[n % 4]} number {n} of the whole lot",
            title=f"About {words[n % 4]} {n}",
            metadata={"kind": words[n % 4]},
        )
        for n in range(38)
    ]
    items += [Item(f"same{n}", "the very same text of many words", title=HOSTILE) for n in (1, 2)]
    store.upsert(collection, items)
    return collection


def url(name: str, collection: Collection) -> str:
    return reverse(f"admin:vectors_collection_{name}", args=[collection.pk])


def addresses(collection: Collection) -> dict[str, str]:
    queries = {"item": "?key=k1", "compare": "?one=same1&other=same2", "progress": "?kind=map_items"}
    names = ["change", *(page.name for page in PAGES if page.name != "build")]
    return {name: url(name, collection) + queries.get(name, "") for name in names}


def work_off() -> None:
    for key in list(Job.objects.filter(state=JobState.WAITING).values_list("pk", flat=True)):
        assert running.run(key) == JobState.SUCCEEDED, Job.objects.get(pk=key).cause


def test_every_page_opens_and_says_what_is_next_where_nothing_is_there(admin: Client, notes: Collection):
    empty = store.create_collection("empty", embedder="", dimensions=3)
    for collection in (notes, empty):
        for name, address in addresses(collection).items():
            missing = collection is empty and name in ("item", "compare")
            answer = admin.get(address)
            assert answer.status_code == (404 if missing else 200), address
            assert HOSTILE not in answer.content.decode()
    for name in ("items", "map", "duplicates"):
        assert "is empty" in text_of(admin.get(url(name, empty)))
    assert "callers’ own" in text_of(admin.get(url("migration", empty)))


def test_pages_are_for_who_may_see_collections_and_changes_for_who_may_change_them(
    staff: Callable[..., Client], notes: Collection, make: Callable[..., Prompt]
):
    make("writing/resume")
    prompts = store.get_collection("prompts")
    for address in (*addresses(notes).values(), url("build", notes)):
        assert Client().get(address).status_code == 302
    nobody = staff()
    assert {nobody.get(address).status_code for address in addresses(notes).values()} == {403}
    User.objects.get(username="ben").delete()
    reader = staff("view_collection")
    assert {reader.get(address).status_code for address in addresses(notes).values()} == {200}
    # The items of an application take its permission, too.
    shown = {name: reader.get(address).status_code for name, address in addresses(prompts).items()}
    assert {name for name, status in shown.items() if status == 403} == {
        page.name for page in PAGES if page.of_items
    }
    for name in ("map", "quality", "duplicates", "migration", "build"):
        assert reader.post(url(name, notes), {"action": "drop", "confirmation": "notes"}).status_code == 403
    assert Job.objects.count() == 0
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="aoi"))
    assert strict.post(url("build", notes)).status_code == 403


def test_a_space_of_a_migration_has_no_pages(admin: Client, notes: Collection):
    change = changing.plan(notes, "fake", dimensions=24)
    spare = changing.start(change, {}).spare
    assert {admin.get(address).status_code for address in addresses(spare).values()} == {302, 404}


def test_pages_pin_their_queries(admin: Client, notes: Collection, django_assert_max_num_queries: Any):
    for name, address in addresses(notes).items():
        with django_assert_max_num_queries(14):
            admin.get(address)
        assert name


def test_the_list_has_figures_of_all_collections_in_one_statement(
    admin: Client, notes: Collection, django_assert_num_queries: Any
):
    for number in range(5):
        store.create_collection(f"c{number}")
    with django_assert_num_queries(5):  # session, user, count, page, figures
        page = text_of(admin.get("/admin/vectors/collection/"))
    assert "fake · words" in page
    assert "none yet: every row is measured" in page


def test_the_overview_forecasts(admin: Client, notes: Collection):
    page = admin.get(url("change", notes))
    assert [(size.factor, size.rows) for size, _ in page.context["sizes"]] == [
        (1, 40),
        (10, 400),
        (100, 4_000),
    ]
    text = text_of(page)
    assert "Searches go by “Exact”." in text  # at any size: 64 dimensions are too few for codes
    assert "items on:" not in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kind:fox", 10),
        ("kind:fox kind:bank", 0),
        ('{"kind": {"in": ["fox", "tea"]}}', 19),
        ("kind:'fox'", 10),
    ],
)
def test_items_are_filtered(admin: Client, notes: Collection, text: str, found: int):
    assert len(admin.get(url("items", notes), {"filter": text}).context["items"]) == found


@pytest.mark.parametrize("text", ["fox", "{", '{"kind": {"like": 1}}', "'kind:fox", "[1]", "kind:\0"])
def test_a_filter_that_is_none_is_explained_in_place(admin: Client, notes: Collection, text: str):
    answer = admin.get(url("items", notes), {"filter": text})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_items_are_paged_to_the_end(admin: Client, notes: Collection):
    address, keys = url("items", notes), []
    while address:
        page = admin.get(address)
        keys += [item["key"] for item in page.context["items"]]
        address = page.context["next"] and url("items", notes) + page.context["next"]
    assert keys == [item.key for item in store.iterate(notes)]
    assert admin.get(url("items", notes), {"after": "9" * 30}).status_code == 200


def test_an_item_shows_what_is_like_it_and_no_embedding(admin: Client, notes: Collection):
    page = admin.get(addresses(notes)["item"])
    hit, address = page.context["similar"][0]
    assert "bank" in hit.title
    assert admin.get(address).status_code == 200
    vector = store.vectors_by_key(notes, ["k1"])["k1"]
    assert page.context["norm"] == pytest.approx(float(np.linalg.norm(vector)), rel=1e-6)
    assert str(float(vector[0]))[:7] not in page.content.decode()


def test_a_search_shows_its_plan_and_a_wrong_one_why(admin: Client, notes: Collection):
    page = text_of(admin.get(url("search", notes), {"q": "fox", "filter": "kind:fox", "k": "3"}))
    assert "exhaustive" in page
    assert page.count("<mark>") >= 3
    for wrong in ({"k": "0"}, {"mode": "magic"}, {"strategy": "hnsw"}, {"filter": "fox"}):
        answer = admin.get(url("search", notes), {"q": "fox", **wrong})
        assert answer.status_code == 400
        assert next(iter(wrong)) in text_of(answer)


def test_the_map_is_the_same_every_time_and_kept(admin: Client, notes: Collection, monkeypatch: Any):
    first = admin.get(url("map", notes), {"colour": "kind"}).context["chart"].drawn
    assert [(one["name"], len(one["points"])) for one in first["series"]] == [
        ("bank", 10), ("fox", 10), ("rail", 9), ("tea", 9), ("none", 2),
    ]  # fmt: skip
    point = first["series"][0]["points"][0]
    assert point["text"] == "About bank 1 (kind)"
    assert point["url"] == addresses(notes)["item"]
    monkeypatch.setattr("vectors.projection_cache.project", None)
    assert admin.get(url("map", notes), {"colour": "kind"}).context["chart"].drawn == first
    clusters = admin.get(url("map", notes), {"colour": "cluster"}).context["chart"].drawn
    assert sum(len(one["points"]) for one in clusters["series"]) == 40


def test_prompts_are_on_their_map_by_title_and_label(admin: Client, make: Callable[..., Prompt]):
    made = [
        make(f"writing/{n}", f"Rewrite the resume {n}.", title=f"Title {n}", tags=["a"], language="en")
        for n in range(3)
    ]
    PromptLabel.objects.create(prompt=made[0], version=made[0].versions.get(), name="production")
    page = admin.get(url("map", store.get_collection("prompts")))
    assert [one.name for one in page.context["groupings"]] == [
        "label", "status", "language", "folder", "tags", "cluster",
    ]  # fmt: skip
    labelled, others = page.context["chart"].drawn["series"]
    assert labelled["name"] == "production"
    assert labelled["points"][0]["text"] == "Title 0"
    assert labelled["points"][0]["url"] == reverse("admin:prompts_prompt_change", args=[made[0].pk])
    assert (others["name"], len(others["points"])) == ("none", 2)


@COMMITTED
def test_a_large_map_is_drawn_in_the_background(admin: Client, notes: Collection, monkeypatch: Any):
    monkeypatch.setattr("vectors.projection._QUICK", 100)
    assert admin.get(url("map", notes)).context["projection"] is None
    assert admin.post(url("map", notes), {"method": "pca"}).status_code == 302
    fragment = admin.get(addresses(notes)["progress"])
    assert "every 2s" in fragment.content.decode()
    assert "HX-Refresh" not in fragment.headers
    work_off()
    assert admin.get(addresses(notes)["progress"])["HX-Refresh"] == "true"
    assert len(admin.get(url("map", notes)).context["projection"].ids) == 40


def test_duplicates_are_found_and_compared(admin: Client, notes: Collection):
    page = admin.get(url("duplicates", notes), {"threshold": "0.999"})
    (group,) = page.context["groups"]
    assert {group["first"]["key"], group["members"][0]["key"]} == {"same1", "same2"}
    compared = admin.get(group["members"][0]["compare"])
    assert compared.context["nearness"] == pytest.approx(1)
    assert "1.0000" in text_of(compared)
    for wrong in ("2", "x", "nan", "-1"):
        assert admin.get(url("duplicates", notes), {"threshold": wrong}).status_code == 400


def test_words_that_differ_are_marked():
    assert differences("A red fox", "A blue fox") == (
        [("A ", False), ("red", True), (" fox", False)],
        [("A ", False), ("blue", True), (" fox", False)],
    )
    assert differences("東京の狐", "東京の犬")[0][-1] == ("狐", True)
    assert differences("x " * 5_000, "y") is None


@COMMITTED
def test_many_items_are_compared_in_the_background(admin: Client, notes: Collection, monkeypatch: Any):
    monkeypatch.setattr("vectors.admin.pages.duplicates._QUICK", 10)
    assert "not compared yet" in text_of(admin.get(url("duplicates", notes)))
    admin.post(url("duplicates", notes), {"threshold": "5"})
    assert not Job.objects.exists()
    admin.post(url("duplicates", notes), {"threshold": "0.999"})
    work_off()
    (group,) = admin.get(url("duplicates", notes)).context["groups"]
    assert group["size"] == 2


@COMMITTED
def test_what_was_tuned_is_kept_and_drawn(admin: Client, notes: Collection):
    assert "was not measured yet" in text_of(admin.get(url("quality", notes)))
    admin.post(url("quality", notes), {"action": "tune", "recall": "none", "k": "10"})
    assert not Job.objects.exists()
    admin.post(url("quality", notes), {"action": "tune", "recall": "0.9", "k": "5"})
    work_off()
    page = admin.get(url("quality", notes))
    exact, chosen, target = page.context["trade"].drawn["series"]
    assert (exact["name"], chosen["marked"], len(chosen["points"])) == ("Exact", True, 1)
    assert {point["y"] for point in target["points"]} == {0.9}
    assert (page.context["tuning"]["queries"], page.context["tuning"]["k"]) == (40, 5)


@pytest.mark.django_db(transaction=True)
def test_a_tuning_that_is_applied_says_what_it_measured(notes: Collection):
    apply(notes, tune(notes, queries=np.ones((3, 64), np.float32)))
    kept = Index.objects.get(pk=notes.pk).tuning
    assert (kept["queries"], kept["asked_with"], kept["rows"]) == (3, "queries", 40)
    assert kept["at"]


@COMMITTED
def test_runs_are_measured_and_drawn_with_their_intervals(admin: Client, notes: Collection):
    for _ in range(2):
        admin.post(url("quality", notes), {"action": "evaluate"})
        work_off()
    assert EvaluationRun.objects.count() == 6
    page = admin.get(url("quality", notes))
    ndcg = page.context["charts"][0]
    assert ndcg.has_intervals
    assert [(one["name"].partition(",")[0], len(one["points"])) for one in ndcg.drawn["series"]] == [
        ("hybrid", 2), ("semantic", 2), ("keyword", 2),
    ]  # fmt: skip


@COMMITTED
def test_a_model_is_changed_step_by_step_and_back(admin: Client, notes: Collection):
    page = url("migration", notes)
    asked = {"embedder": "fake", "model": "", "dimensions": "24", "rate": "", "price": "0.02"}

    estimated = admin.post(page, {"action": "estimate", **asked})
    assert estimated.context["estimate"].rows == 40
    assert changing.find(notes) is None  # an estimate writes nothing
    same = admin.post(page, {"action": "estimate", **asked, "dimensions": ""})
    assert same.status_code == 400
    assert "another one than the collection has" in text_of(same)

    admin.post(page, {"action": "start", **asked})
    work_off()
    assert "no verdict yet" in text_of(admin.get(page))
    typed = {"action": "switch", "confirmation": "notes"}
    assert "expected a verdict" in text_of(admin.post(page, typed))
    admin.post(page, {"action": "judge"})
    work_off()
    judged = admin.get(page)
    assert {row["title"] for row in judged.context["figures"]} >= {"nDCG@10, hybrid", "Rows"}
    wrong = admin.post(page, {**typed, "confirmation": "note", "force": "on"})
    assert (wrong.status_code, changing.find(notes).is_switched) == (400, False)

    answer = admin.post(page, {**typed, "force": "on"})
    new = store.get_collection("notes")
    assert (new.dimensions, answer["Location"]) == (24, url("migration", new))
    admin.post(url("migration", new), {"action": "rollback", "confirmation": "notes"})
    assert store.get_collection("notes").pk == notes.pk
    admin.post(page, {"action": "drop", "confirmation": "notes"})
    assert list(Collection.objects.values_list("pk", flat=True)) == [notes.pk]
    messages = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert [re.sub(r"^.*?(\w+)", r"\1", one).split()[0] for one in messages] == [
        "Switched",
        "Went",
        "Dropped",
    ]


def test_an_index_is_built_by_a_job(admin: Client, notes: Collection):
    assert admin.get(url("build", notes)).status_code == 405
    admin.post(url("build", notes))
    assert Job.objects.get().arguments == {"collection": "notes"}
    assert "Waits for a worker" in text_of(admin.get(url("change", notes)))
