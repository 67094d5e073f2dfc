"""Queries made of rows find these rows, but not by what they took from them."""

import pytest
from django.db import connections
from django.utils.connection import ConnectionDoesNotExist

from vectors import store
from vectors.errors import EmbedderError, InvalidQuery
from vectors.fulltext import terms
from vectors.models import Collection
from vectors.relevance.judging import judge
from vectors.relevance.known_items import known_items, make_known_items, sample, split_row
from vectors.relevance.models import QuerySource
from vectors.relevance.queries import open_queries
from vectors.relevance.scratch import scratch_database
from vectors.search import search
from vectors.store import Item

BODY = "Describe how the old harbour was built and by whom."


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (BODY, BODY),
        (f"# The Harbour\n\n{BODY}", BODY),
        (f"THE HARBOUR: {BODY}", BODY),
        (f"The Harbour\nThe Harbour\n{BODY}", BODY),
        (f"The Harbours: {BODY}", f"The Harbours: {BODY}"),
        (f"{BODY} The harbour!", f"{BODY} The harbour!"),  # an author's own words are no leak
    ],
)
def test_a_title_asks_for_a_text_that_does_not_open_with_it(text, rest):
    assert split_row("k", " The Harbour ", text) == ("The Harbour", rest)


def test_a_japanese_title_is_cut_off_as_well():
    assert split_row("k", "港の歴史", "「港の歴史」\n古い港は誰が建てたのか。") == (
        "港の歴史",
        "古い港は誰が建てたのか。",
    )


def test_a_title_that_is_all_there_is_gives_no_query():
    assert split_row("k", "The Harbour", "the harbour") == ("", "")
    assert split_row("k", "The Harbour", "The Harbour built") == ("", "built")


@pytest.mark.parametrize(
    "text",
    [
        "The harbour was built by monks. It burnt down in the war! Who knows what came of the ships?",
        "港は修道士が建てた。戦争で焼けてしまった！船はどうなったのだろうか？",
        "the harbour was built by monks\nit burnt down in the war\nthe harbour was built by monks",
    ],
)
@pytest.mark.parametrize("key", ["a", "b", "c", "d"])
def test_a_sentence_asks_for_its_context(key, text):
    query, rest = split_row(key, "", text)
    assert query
    assert query in text
    assert query not in rest
    assert len(terms(rest)) >= 4
    assert split_row(key, "?!", text) == (query, rest)


@pytest.mark.parametrize(
    "text", ["One sentence that has nobody beside it.", "Yes. No. Go.", "x" * 5_000, "?!"]
)
def test_a_text_without_two_sentences_gives_no_query(text):
    assert split_row("k", "", text) == ("", text)


@pytest.mark.django_db
def test_rows_of_one_title_are_all_right(fill):
    collection = store.create_collection("notes")
    store.upsert(collection, [Item(key, f"{BODY} {key}", title="Harbour") for key in "abc"])
    made = make_known_items(store.iterate(collection))
    assert [(one.query, one.relevant) for one in made.queries] == [("Harbour", {"a": 1, "b": 1, "c": 1})]
    assert {item.title for item in made.items} == {""}


@pytest.mark.django_db
def test_the_copy_is_searched_and_then_gone(fill):
    collection = store.create_collection("notes", keyword_weight=0.3, strategy="quantised")
    rows = [Item(f"k{n}", f"Title{n} {BODY} number{n} word{n}", title=f"Title{n}") for n in range(30)]
    store.upsert(collection, rows)
    with known_items(collection) as (copied, queries):
        alias = copied._state.db
        assert (copied.strategy, copied.keyword_weight, copied.embedder) == ("exact", 0.3, "fake")
        assert store.count(copied) == len(queries) == 30
        assert store.get(copied, "k7").text == f"{BODY} number7 word7"
        assert search(copied, queries[0].query, mode="keyword").hits == []
        assert search(copied, "number7", mode="keyword").hits[0].key == "k7"
    with pytest.raises(ConnectionDoesNotExist):
        connections[alias]
    assert store.count(collection) == 30


@pytest.mark.django_db
def test_the_same_rows_give_the_same_queries_however_they_were_written(fill):
    texts = {f"k{n}": f"Harbour {n} was built by monks. It burnt down in war {n}." for n in range(60)}
    one, other = store.create_collection("one"), store.create_collection("other")
    store.upsert(one, [Item(key, text) for key, text in texts.items()])
    store.upsert(other, [Item(key, texts[key]) for key in reversed(texts)])
    first, second = (sample(collection, 20, "default") for collection in (one, other))
    assert {row.key for row in first} == {row.key for row in second}
    assert len(first) == 20
    assert make_known_items(first).queries == make_known_items(second).queries


@pytest.mark.django_db
def test_judgements_are_preferred_and_known_items_can_be_asked_for(fill):
    notes = fill("The harbour was built by monks. It burnt down in the war.")
    with open_queries(notes) as queries:
        assert (queries.source, queries.missing_keys) == (QuerySource.KNOWN_ITEMS, 0)
    with pytest.raises(InvalidQuery, match="import_judgements"), open_queries(notes, "judgements"):
        pass
    judge(notes, "harbour", "k0", 1)
    judge(notes, "monks", "gone", 1)
    judge(notes, "monks", "never there", 0)
    with open_queries(notes) as queries:
        assert (queries.source, queries.collection, queries.missing_keys) == ("judgements", notes, 1)
    with open_queries(notes, "known-items") as queries:
        assert queries.source == "known-items"
    with pytest.raises(InvalidQuery, match="judgements or known-items"), open_queries(notes, "guesses"):
        pass


@pytest.mark.django_db
def test_nothing_to_ask_and_nobody_to_embed(fill):
    with pytest.raises(InvalidQuery, match="rows with titles"), known_items(fill("short")):
        pass
    own = store.create_collection("own", embedder="", dimensions=2)
    with pytest.raises(EmbedderError), known_items(own):
        pass


@pytest.mark.django_db
def test_the_scratch_database_is_gone_after_a_failure_too():
    def fail() -> None:
        with scratch_database("default") as alias:
            seen.append(store.create_collection("notes", using=alias))
            raise RuntimeError

    seen: list[Collection] = []
    with pytest.raises(RuntimeError):
        fail()
    with pytest.raises(ConnectionDoesNotExist):
        seen[0].refresh_from_db()
    assert not Collection.objects.exists()
