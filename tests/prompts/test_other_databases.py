"""Saving and deleting in a database other than the default one: its own index follows, and no other."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from prompts import indexing
from prompts.models import Prompt, PromptEmbedding, PromptVersion, User
from vectors import store
from vectors.models import Collection
from vectors.search import search

from .databases import save

ALIAS = "left"
pytestmark = pytest.mark.usefixtures("databases")


def found(query: str) -> list[str]:
    hits = search(indexing.get_collection(ALIAS), query, k=5, mode="keyword", using=ALIAS).hits
    return [hit.key for hit in hits]


def test_the_index_of_that_database_follows_and_the_default_one_is_not_asked() -> None:
    with CaptureQueriesContext(connections["default"]) as queries:
        prompt = save(ALIAS, "p", "a red fox")
        assert found("fox") == [prompt.pk]
        save(ALIAS, "p", "a green parrot")
        assert (found("fox"), found("parrot")) == ([], [prompt.pk])
        assert PromptEmbedding.objects.using(ALIAS).get().version.version == 2
        assert indexing.count_outdated(ALIAS) == 0
        prompt.delete()
        assert found("parrot") == []
    assert list(queries) == []


def test_the_whole_index_is_repaired_there() -> None:
    with CaptureQueriesContext(connections["default"]) as queries:
        kept, gone = save(ALIAS, "kept", "a red fox"), save(ALIAS, "gone", "a blue whale")
        Prompt.objects.using(ALIAS).filter(pk=kept.pk).update(content="a green parrot")
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("DELETE FROM prompts WHERE id = %s", [gone.pk])
        assert indexing.index_everything(using=ALIAS).updated == 1
        assert (found("parrot"), found("whale")) == ([kept.pk], [])
        indexing.rebuild_collection(ALIAS)
        assert indexing.other_embedder(ALIAS) == ""
        assert store.count(indexing.get_collection(ALIAS), using=ALIAS) == 0
        assert indexing.remove([kept.pk], using=ALIAS) == 0
    assert list(queries) == []
    assert Collection.objects.using("right").count() == 0


def test_an_object_of_one_database_can_be_saved_to_another() -> None:
    prompt = save(ALIAS, "p", "one")
    save(ALIAS, "p", "two")
    author = User.objects.using("right").get()
    copy = Prompt(user=author, name="p", title="P", content="one")
    copy.save(using="right")
    copy.content = "three"
    copy.save(using="right", author=User.objects.using(ALIAS).get())
    versions = PromptVersion.objects.using("right").order_by("version")
    assert [(one.version, one.content) for one in versions] == [(1, "one"), (2, "three")]
    assert versions[1].parent_id == versions[0].pk
    assert Prompt.objects.using(ALIAS).get(pk=prompt.pk).version == 2
