"""The example for LangChain passes LangChain's own tests on a database file."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests
from pytest_django import DjangoDbBlocker

from afn_project.env import BASE_DIR
from tests.prompts.databases import opened
from vectors.errors import InvalidFilter


def example() -> ModuleType:
    """The file as a user has it: beside the project, not in a package."""
    path = BASE_DIR / "docs" / "examples" / "langchain_afn.py"
    spec = importlib.util.spec_from_file_location("langchain_afn", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("langchain_afn", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


AFNVectorStore = example().AFNVectorStore


@pytest.fixture
def alias(migrated_file: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database file, as the asynchronous tests work in several threads."""
    file = shutil.copy(migrated_file, tmp_path / "langchain.db")
    with django_db_blocker.unblock(), opened("langchain", file) as name:
        yield name


class TestStandard(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, alias: str) -> VectorStore:
        return AFNVectorStore(self.get_embeddings(), "documents", using=alias)


@pytest.fixture
def filled(alias: str) -> VectorStore:
    return AFNVectorStore.from_texts(
        ["a red fox", "a blue whale", "a green frog"],
        DeterministicFakeEmbedding(size=6),
        [{"n": 1}, {"n": 2}, {"n": 3}],
        ids=["fox", "whale", "frog"],
        collection_name="documents",
        using=alias,
    )


def test_scores_are_distances_and_relevance_is_at_most_1(filled: VectorStore) -> None:
    [(found, distance), *others] = filled.similarity_search_with_score("a red fox", k=3)
    assert (found.id, found.metadata, len(others)) == ("fox", {"n": 1}, 2)
    assert distance == pytest.approx(0, abs=1e-6)
    scores = [score for _, score in filled.similarity_search_with_relevance_scores("a red fox", k=3)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_filters_are_those_of_afn(filled: VectorStore) -> None:
    found = filled.similarity_search("a red fox", k=3, filter={"n": {"gte": 2}})
    assert {one.id for one in found} == {"whale", "frog"}
    with pytest.raises(InvalidFilter):
        filled.similarity_search("a red fox", filter={"n": {"$gte": 2}})
    assert filled.delete(filter={"n": 1})
    assert filled.get_by_ids(["fox", "frog"])[0].id == "frog"


def test_a_vector_is_searched_for_and_words_take_part(filled: VectorStore) -> None:
    vector = DeterministicFakeEmbedding(size=6).embed_query("a green frog")
    assert filled.similarity_search_by_vector(vector, k=1)[0].id == "frog"
    assert filled.similarity_search("whale", k=1, mode="keyword")[0].id == "whale"


def test_documents_unlike_each_other_are_picked(filled: VectorStore) -> None:
    filled.add_texts(["a red fox"], [{"n": 4}], ids=["copy"])
    near, other = filled.max_marginal_relevance_search("a red fox", k=2, lambda_mult=0.1)
    assert near.page_content == "a red fox"
    assert other.page_content != "a red fox"
    retriever = filled.as_retriever(search_type="mmr", search_kwargs={"k": 2, "filter": {"n": {"gt": 9}}})
    assert retriever.invoke("a red fox") == []


def test_nothing_is_deleted_without_a_word_of_what(filled: VectorStore) -> None:
    with pytest.raises(ValueError, match="delete_collection"):
        filled.delete()
    assert len(filled.similarity_search("fox")) == 3


def test_of_an_id_that_comes_twice_the_last_counts(filled: VectorStore) -> None:
    filled.add_documents([Document("one", id="x"), Document("two", id="x")])
    assert [one.page_content for one in filled.get_by_ids(["x"])] == ["two"]


def test_a_retriever_finds_documents(filled: VectorStore) -> None:
    retriever = filled.as_retriever(search_kwargs={"k": 1})
    assert retriever.invoke("a blue whale")[0].id == "whale"


def test_the_collection_can_be_deleted(filled: VectorStore) -> None:
    for _ in range(2):
        filled.delete_collection()  # type: ignore[attr-defined]
    assert filled.similarity_search("fox") == []
    assert filled.delete(["fox"]) is True
