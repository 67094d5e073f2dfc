"""The second space of a collection that changes its embedding model is nobody's business."""

from typing import Any

from django.test import Client

from prompts.models import User
from tests.api.conftest import Api
from vectors import store
from vectors.migrating import changing
from vectors.migrating.filling import Filling

NOTES = "/vectors/collections/notes"


def test_a_migration_goes_unnoticed(api: Api, settings: Any) -> None:
    settings.AFN_EMBEDDERS = settings.AFN_EMBEDDERS | {"other": "tests.vectors.fakes.OtherEmbedder"}
    api.post("/vectors/collections", {"name": "notes"})
    api.put(f"{NOTES}/items", {"items": [{"key": f"a/{at}", "text": f"word{at}"} for at in range(5)]})
    migration = changing.start(changing.plan(store.get_collection("notes"), "other"), {})
    assert len(list(Filling(migration, "default").rows())) == 5
    assert api.put(f"{NOTES}/items", {"items": [{"key": "b", "text": "new"}]}).status_code == 200
    assert api.delete(f"{NOTES}/items/a/1").status_code == 204

    def check(embedder: str) -> None:
        page = api.get("/vectors/collections").json()
        assert [(one["name"], one["embedder"]) for one in page["items"]] == [("notes", embedder)]
        assert page["total"] == 1
        assert api.get(NOTES).json()["count"] == 5
        assert api.get(f"/vectors/collections/{migration.spare.name}").status_code == 404
        assert api.post(f"{NOTES}/search", {"query": "word3", "k": 1}).json()["hits"][0]["key"] == "a/3"
        assert "/" not in "".join(one.name for one in _listed(Client()))

    check("fake")
    changing.switch(migration, force=True)
    check("other")
    changing.roll_back(migration)
    check("fake")
    assert api.delete(NOTES).status_code == 204
    assert api.get("/vectors/collections").json()["total"] == 0


def _listed(client: Client) -> Any:
    """What the console lists."""
    client.force_login(
        User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("admin")
    )
    return client.get("/admin/vectors/collection/").context["cl"].queryset
