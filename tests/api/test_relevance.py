from typing import Any

import pytest

from tests.api.conftest import Api, problems
from vectors import store
from vectors.relevance.judging import judge
from vectors.relevance.models import EvaluationRun, Judgement

PATH = "/vectors/collections/notes"
FOX = {"query": "red fox", "key": "faq/fox", "grade": 3}


@pytest.fixture
def notes(db: None) -> Any:
    return store.create_collection("notes")


def test_it_judges_lists_and_takes_back(api: Api, notes: Any) -> None:
    made = api.put(f"{PATH}/judgements", FOX)
    assert made.status_code == 200
    body = made.json()
    assert body == FOX | {
        "id": body["id"],
        "source": "api",
        "language": "en",
        "created_by": "aoi",
        "created_at": body["created_at"],
    }
    again = api.put(f"{PATH}/judgements", FOX | {"grade": 0, "source": "click"}).json()
    assert (again["id"], again["grade"], again["source"]) == (body["id"], 0, "click")
    listed = api.get(f"{PATH}/judgements").json()
    assert listed == {"items": [again], "total": 1, "limit": 50, "offset": 0}
    assert api.delete(f"{PATH}/judgements/{body['id']}").status_code == 204
    assert api.delete(f"{PATH}/judgements/{body['id']}").status_code == 404
    assert api.get(f"{PATH}/judgements").json()["total"] == 0


def test_lists_can_be_narrowed(api: Api, notes: Any) -> None:
    judge(notes, "fox", "k0", 1)
    judge(notes, "狐", "k0", 1, source="api")
    judge(notes, "fox", "k1", 1)
    judge(store.create_collection("other"), "fox", "k0", 1)

    def total(**query: str) -> int:
        return api.get(f"{PATH}/judgements", **query).json()["total"]

    counts = [total(), total(query=" fox "), total(key="k0"), total(language="ja"), total(source="click")]
    assert counts == [3, 2, 2, 1, 2]
    assert total(query="fox", key="k1") == 1
    page = api.get(f"{PATH}/judgements", limit=1, offset=1).json()
    assert (len(page["items"]), page["total"]) == (1, 3)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"grade": 31}, "grade"),
        ({"grade": -1}, "grade"),
        ({"grade": True}, "grade"),
        ({"grade": 10**30}, "grade"),
        ({"query": " "}, "query"),
        ({"query": "x" * 10_001}, "query"),
        ({"query": "a\0"}, "query"),
        ({"key": "x" * 513}, "key"),
        ({"key": "\ud800"}, "key"),
        ({"source": "import"}, "source"),
        ({"more": 1}, "more"),
    ],
)
def test_it_refuses_wrong_members_by_name(api: Api, notes: Any, wrong: dict[str, Any], field: str) -> None:
    response = api.put(f"{PATH}/judgements", FOX | wrong)
    assert response.status_code == 422
    assert list(problems(response)) == [field]
    assert not Judgement.objects.exists()


def test_what_is_not_there_is_not_found(api: Api) -> None:
    assert api.put(f"{PATH}/judgements", FOX).status_code == 404
    assert api.get(f"{PATH}/judgements").status_code == 404
    assert api.get(f"{PATH}/runs").status_code == 404
    assert api.delete(f"{PATH}/judgements/1").status_code == 404


@pytest.mark.parametrize("wrong", ["0", "x", str(2**63)])
def test_an_id_is_a_number_that_can_be(api: Api, notes: Any, wrong: str) -> None:
    assert api.delete(f"{PATH}/judgements/{wrong}").status_code == 422


def test_nobody_deletes_what_another_collection_has(api: Api, notes: Any) -> None:
    other = judge(store.create_collection("other"), "fox", "k0", 1)
    assert api.delete(f"{PATH}/judgements/{other.pk}").status_code == 404
    assert Judgement.objects.count() == 1


def test_runs_are_listed_without_the_scores_of_each_query(api: Api, notes: Any) -> None:
    figures = {"ndcg@10": {"mean": 0.8, "low": 0.7, "high": 0.9}}
    for mode in ("hybrid", "keyword", "hybrid"):
        EvaluationRun.objects.create(
            collection=notes, mode=mode, source="judgements", n=9, metrics=figures, scores={"a": ["b", 1]}
        )
    listed = api.get(f"{PATH}/runs", mode="hybrid").json()
    assert listed["total"] == 2
    assert listed["items"][0]["id"] > listed["items"][1]["id"]
    assert listed["items"][0]["metrics"] == figures
    assert "scores" not in listed["items"][0]
    assert api.get(f"{PATH}/runs", source="known-items").json()["total"] == 0


def test_judging_needs_a_permission(api: Api, user: Any, notes: Any) -> None:
    judgement = judge(notes, "fox", "k0", 1)
    user.user_permissions.clear()
    assert api.put(f"{PATH}/judgements", FOX).status_code == 403
    assert api.delete(f"{PATH}/judgements/{judgement.pk}").status_code == 403
    assert api.get(f"{PATH}/judgements").status_code == 200


def test_strangers_see_nothing(anonymous: Api, notes: Any) -> None:
    assert anonymous.get(f"{PATH}/judgements").status_code == 401
    assert anonymous.put(f"{PATH}/judgements", FOX).status_code == 401
