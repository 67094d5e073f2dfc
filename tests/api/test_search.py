from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from prompts.indexing import get_collection
from prompts.models import Prompt
from prompts.search import search_prompts
from tests.api.conftest import Api, problems
from vectors import store
from vectors.errors import CollectionNotFound

Make = Callable[..., Prompt]


@pytest.fixture
def prompts(make: Make) -> list[Prompt]:
    return [
        make("writing/cv", "Rewrite my resume.", tags=["career"], language="en", status="active"),
        make("code/review", "Review this pull request.", language="en"),
        make("文章/要約", "次の文章を要約してください。", language="ja"),
    ]


def test_the_answer_is_that_of_the_registry(api: Api, prompts: list[Prompt]) -> None:
    answer = api.get("/search", q="resume", k=2).json()
    expected = search_prompts("resume", k=2).as_json()
    for one in (answer, expected):
        one.pop("took_ms")
        one["plan"].pop("ms")
    assert answer == expected
    assert list(answer["results"][0]) == [
        *("id", "name", "title", "status", "language", "version", "tags"),
        *("snippet", "content", "distance", "score", "ranks"),
    ]
    assert answer["results"][0]["name"] == "writing/cv"
    assert answer["results"][0]["ranks"] == {"keyword": 1, "semantic": 1}


def test_japanese_words_of_two_characters_are_found(api: Api, prompts: list[Prompt]) -> None:
    assert api.get("/search", q="要約", mode="keyword").json()["results"][0]["name"] == "文章/要約"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"status": "active"}, {"writing/cv"}),
        ({"tag": "career"}, {"writing/cv"}),
        ({"language": "ja"}, {"文章/要約"}),
        ({"folder": "code"}, {"code/review"}),
        ({"folder": "code", "language": "ja"}, set()),
    ],
)
def test_filters_restrict_the_results(
    api: Api, prompts: list[Prompt], filters: dict[str, str], names: set[str]
) -> None:
    results = api.get("/search", q="please", mode="semantic", **filters).json()["results"]
    assert {one["name"] for one in results} == names


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": "x", "k": 0}, "k"),
        ({"q": "x", "k": 1001}, "k"),
        ({"q": "x", "k": "many"}, "k"),
        ({"q": "x", "mode": "psychic"}, "mode"),
        ({"q": "x", "status": "gone"}, "status"),
        ({"q": ""}, "query"),
        ({"q": "a\0b"}, "query"),
        ({"q": "x", "tag": "\0"}, "tag"),
        ({}, "q"),
    ],
)
def test_it_refuses_wrong_arguments_by_name(api: Api, query: dict[str, Any], field: str) -> None:
    response = api.get("/search", **query)
    assert response.status_code == 422
    assert list(problems(response)) == [field]


@pytest.mark.parametrize("query", ['"', "?!", "a AND", "NEAR(", "*", "'; DROP TABLE prompts; --", "🌸", "%"])
def test_no_query_is_syntax(api: Api, prompts: list[Prompt], query: str) -> None:
    assert api.get("/search", q=query).status_code == 200


def test_a_search_takes_few_queries(api: Api, prompts: list[Prompt], django_assert_num_queries: Any) -> None:
    api.get("/search", q="resume")
    with django_assert_num_queries(1, connection=connection):  # the search itself
        api.get("/search", q="resume")


def test_first_searches_at_the_same_time_share_one_collection(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.create_collection("prompts")

    def see_nothing_yet(name: str, **_: object) -> None:
        raise CollectionNotFound("collection", "the name of a collection", name)

    monkeypatch.setattr(store, "get_collection", see_nothing_yet)
    assert get_collection() == made
    assert api.get("/search", q="resume").status_code == 200


def test_an_embedder_out_of_reach_is_503_and_keywords_still_work(
    api: Api, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.vectors.fakes import FakeEmbedder
    from vectors.errors import EmbedderError

    def fail(*_: object) -> None:
        raise EmbedderError("embeddings from http://inner.example", "an answer", "sk-secret", "Check it.")

    monkeypatch.setattr(FakeEmbedder, "embed", fail)
    response = api.get("/search", q="resume")
    assert response.status_code == 503
    assert "Check it." in response.json()["detail"]
    assert "secret" not in response.content.decode()
    assert api.get("/search", q="resume", mode="keyword").json()["results"]
