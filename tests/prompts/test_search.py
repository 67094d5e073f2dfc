"""The command `search`, and what stands behind it."""

import json
from typing import Any

import pytest
from django.core.management import CommandError

from prompts.search import search_prompts
from tests.prompts.conftest import Make

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(make: Make) -> None:
    make(
        "work/summary",
        "長い記事を三行に要約してください。",
        title="記事の要約",
        language="ja",
        status="active",
        tags=["要約", "文章"],
    )
    make("work/fox", "Describe a red fox.", language="en", status="active", tags=["animals"])
    make("work/deep/whale", "Describe a blue whale.", language="en", status="draft", tags=["animals", "sea"])
    make("parrot", "Describe a green parrot.", language="en", status="archived")


def names(answer: dict[str, Any]) -> list[str]:
    return [hit["name"] for hit in answer["results"]]


@pytest.mark.usefixtures("library")
def test_json_has_everything_about_the_results(run: Any) -> None:
    text = run("search", "要約", "--json", "-k", 2)
    assert "要約" in text
    assert text.count("\n") == 1
    answer = json.loads(text)
    assert {"query", "mode", "k", "took_ms", "results"} <= set(answer)
    assert (answer["query"], answer["mode"], answer["k"]) == ("要約", "hybrid", 2)
    assert answer["took_ms"] > 0
    first = answer["results"][0]
    wanted = [
        "id",
        "name",
        "title",
        "status",
        "language",
        "version",
        "snippet",
        "content",
        "distance",
        "score",
        "ranks",
    ]
    assert set(wanted) <= set(first)
    assert set(first["ranks"]) == {"keyword", "semantic"}
    assert (first["name"], first["version"], first["ranks"]["keyword"]) == ("work/summary", 1, 1)
    assert "要約" in first["snippet"]
    assert len(first["id"]) == 32
    assert 0 <= first["distance"] <= 2


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_two_japanese_characters_find_their_prompt_in_every_mode(run_json: Any, mode: str) -> None:
    answer = run_json("search", "要約", "-k", 1, "--mode", mode)
    assert names(answer) == ["work/summary"]
    hit = answer["results"][0]
    assert (hit["distance"] is None) == (mode == "keyword")
    assert (hit["ranks"]["keyword"] is None) == (mode == "semantic")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--tag", "animals"], {"work/fox", "work/deep/whale"}),
        (["--tag", "要約"], {"work/summary"}),
        (["--tag", "ANIMALS"], set()),
        (["--status", "draft"], {"work/deep/whale"}),
        (["--language", "ja"], {"work/summary"}),
        (["--folder", "work"], {"work/summary", "work/fox", "work/deep/whale"}),
        (["--folder", "/work/deep/"], {"work/deep/whale"}),
        (["--folder", "wor"], set()),
        (["--folder", "Work"], set()),
        (["--folder", ""], {"work/summary", "work/fox", "work/deep/whale", "parrot"}),
        (["--tag", "animals", "--status", "active", "--language", "en", "--folder", "work"], {"work/fox"}),
        (["--tag", "'; DROP TABLE prompts; --"], set()),
    ],
)
def test_filters_lose_nothing_and_let_nothing_else_in(
    run_json: Any, options: list[str], expected: set[str]
) -> None:
    assert set(names(run_json("search", "describe", "-k", 100, "--mode", "semantic", *options))) == expected


@pytest.mark.usefixtures("library")
def test_text_shows_title_name_distance_and_snippet(run: Any) -> None:
    lines = run("search", "red fox", "-k", 1).splitlines()
    assert lines[0].startswith("1. work/fox  work/fox  distance 0.")
    assert "Describe a red fox." in lines[1]
    assert lines[-1].startswith("1 result in ")
    assert "distance" not in run("search", "red fox", "-k", 1, "--mode", "keyword")


def test_nothing_found_says_what_to_do(run: Any, run_json: Any) -> None:
    assert "import_prompts" in run("search", "anything")
    assert run_json("search", "anything")["results"] == []


WRONG = [
    (["x", "-k", "0"], "k: expected an integer from 1 to 1,000, got 0"),
    (["x", "-k", "1001"], "k: expected an integer from 1 to 1,000, got 1001"),
    (["x", "-k=-1"], "k: expected an integer from 1 to 1,000, got -1"),
    (["x", "-k", "many"], "argument -k: invalid int value: 'many'"),
    (["x", "--mode", "psychic"], "mode: expected hybrid, semantic, keyword, got 'psychic'"),
    (["x", "--status", "published"], "status: expected draft or active or archived, got 'published'"),
    ([""], "query: expected text of 1 to 1,000,000 characters, got 0 characters"),
    ([" \t"], "that is not blank"),
    (["a\udcff"], "query: expected text without NUL and lone surrogates"),
    (["x", "--tag", "a\udcff"], "surrogate"),
    (["x", "--folder", "a\udcff"], "surrogate"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_a_wrong_argument_is_named_with_what_was_expected(
    run: Any, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError) as caught:
        run("search", *arguments)
    assert message in str(caught.value)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "query", ["?!", '"', "fox AND (", "NEAR(", "*", "title:fox", "' OR 1=1 --", "😀", "\u200b", "x" * 10_000]
)
def test_a_query_is_text_and_no_language(query: str) -> None:
    for mode in ("hybrid", "keyword", "semantic"):
        assert search_prompts(query, mode=mode).mode == mode


@pytest.mark.usefixtures("library", "broken_embedder")
def test_without_its_embedder_search_fails_in_one_line_and_keywords_work(run: Any) -> None:
    with pytest.raises(CommandError, match="embedder fake: expected an answer, got none"):
        run("search", "fox")
    assert "work/fox" in run("search", "fox", "--mode", "keyword")


@pytest.mark.usefixtures("library")
def test_a_search_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(6):
        search_prompts("describe", k=4)


@pytest.mark.usefixtures("library")
def test_what_no_result_shows_is_not_read() -> None:
    """Metadata may take 64 kB a prompt, and a server sends 10 MB."""
    first = search_prompts("fox").results[0].prompt
    assert "metadata" in first.get_deferred_fields()
    assert first.name == "work/fox"
