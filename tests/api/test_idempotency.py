"""A change that is sent twice under one key is carried out once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from ops import idempotency
from ops.models import IdempotencyKey
from prompts.models import ApiKey, User
from tests.api.conftest import V1, Api, bearer, problems
from tests.api.test_import_export import cut_off
from vectors import store

NOTES = "/vectors/collections/notes"
ITEM = {"key": "k", "text": "A red fox."}


def keyed(api: Api, key: str = "one") -> Api:
    return Api(api.headers | {"Idempotency-Key": key}, api.client)


@pytest.fixture
def notes(api: Api) -> Api:
    api.post("/vectors/collections", {"name": "notes"})
    return api


def test_the_first_answer_comes_again(notes: Api) -> None:
    first = keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]})
    second = keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]})
    assert first.json() == second.json() == {"inserted": 1, "updated": 0, "unchanged": 0}
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert keyed(notes, "two").put(f"{NOTES}/items", {"items": [ITEM]}).json()["unchanged"] == 1


def test_a_creation_and_a_deletion_are_answered_alike_twice(api: Api) -> None:
    for _ in range(2):
        assert keyed(api).post("/vectors/collections", {"name": "notes"}).status_code == 201
    for _ in range(2):
        answer = Api(api.headers | {"Idempotency-Key": "two"}).delete(NOTES)
        assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(NOTES).status_code == 404


@pytest.mark.parametrize("change", [{"body": 1}, {"path": 1}, {"query": 1}, {"method": 1}])
def test_another_request_with_the_key_is_refused(notes: Api, change: dict[str, int]) -> None:
    assert keyed(notes).post(f"{NOTES}/delete", {"keys": ["k"]}).status_code == 200
    if "body" in change:
        other = keyed(notes).post(f"{NOTES}/delete", {"keys": ["l"]})
    elif "path" in change:
        other = keyed(notes).post("/vectors/collections/other/delete", {"keys": ["k"]})
    elif "query" in change:
        other = keyed(notes).post(f"{NOTES}/delete?x=1", {"keys": ["k"]})
    else:
        other = keyed(notes).put(f"{NOTES}/items", {"keys": ["k"]})
    assert (other.status_code, list(problems(other))) == (422, ["Idempotency-Key"])


def test_half_a_request_does_not_stand_in_the_way_of_the_whole(notes: Api) -> None:
    """Whose connection broke sends it all again, and a part that ends with a line looks like a request."""
    line = b'{"key": "k", "text": "A red fox."}\n'
    api = keyed(notes)
    half = api.client.post(f"{V1}{NOTES}/import", headers=api.headers, **cut_off(line, length=2 * len(line)))
    assert (half.status_code, list(problems(half))) == (422, ["body"])
    assert not IdempotencyKey.objects.exists()
    whole = api.client.post(
        f"{V1}{NOTES}/import", 2 * line, content_type="application/x-ndjson", headers=api.headers
    )
    assert whole.json()["inserted"] == 1


def test_a_failure_may_be_sent_again(api: Api) -> None:
    item = {"items": [ITEM]}
    assert keyed(api).put(f"{NOTES}/items", item).status_code == 404
    assert keyed(api).put(f"{NOTES}/items", {"items": 1}).status_code == 422
    api.post("/vectors/collections", {"name": "notes"})
    assert keyed(api).put(f"{NOTES}/items", item).json()["inserted"] == 1


def test_keys_of_others_are_others(notes: Api, django_user_model: type[User]) -> None:
    root = django_user_model.objects.create_superuser("root", "root@example.com", "x")
    other = Api(bearer(ApiKey.issue(root, "other", ["write"])[1]))
    assert keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]}).json()["inserted"] == 1
    assert keyed(other).put(f"{NOTES}/items", {"items": [ITEM]}).json()["unchanged"] == 1


def test_who_may_not_do_it_gets_no_answer_of_before(notes: Api, user: User) -> None:
    assert keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]}).status_code == 200
    user.user_permissions.clear()
    assert keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]}).status_code == 403
    assert keyed(Api()).put(f"{NOTES}/items", {"items": [ITEM]}).status_code == 401
    assert IdempotencyKey.objects.count() == 1


def test_reading_and_other_parts_of_the_api_keep_nothing(notes: Api) -> None:
    assert keyed(notes).post(f"{NOTES}/search", {"query": "fox"}).status_code == 200
    assert keyed(notes).post("/prompts", {"name": "a", "title": "A", "content": "x"}).status_code == 201
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("wrong", ["", " ", "a b", "x" * 256, "é", "a\tb"])
def test_a_key_is_short_and_printable(notes: Api, wrong: str) -> None:
    response = keyed(notes, wrong).put(f"{NOTES}/items", {"items": [ITEM]})
    assert (response.status_code, list(problems(response))) == (422, ["Idempotency-Key"])


def test_nothing_of_the_request_is_kept(notes: Api) -> None:
    keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]})
    [row] = IdempotencyKey.objects.values_list()
    text = repr([bytes(value) if isinstance(value, memoryview) else value for value in row])
    assert "fox" not in text
    assert notes.headers["Authorization"].partition(" ")[2] not in text


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(notes: Api, monkeypatch: Any) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(idempotency.Claim, "keep", fail)
    monkeypatch.setattr(idempotency.Claim, "release", fail)
    assert keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]}).json()["inserted"] == 1
    assert keyed(notes, "two").put(f"{NOTES}/items", {"items": 1}).status_code == 422


def test_a_request_under_way_makes_another_wait(notes: Api, user: User, monkeypatch: Any) -> None:
    seen = []

    def nested(*_: object, **__: object) -> store.UpsertResult:
        again = keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]})
        seen.append((again.status_code, again["Retry-After"]))
        return store.UpsertResult(inserted=1)

    monkeypatch.setattr(store, "upsert", nested)
    assert keyed(notes).put(f"{NOTES}/items", {"items": [ITEM]}).status_code == 200
    assert seen == [(409, "2")]


# -- the claims themselves --------------------------------------------------------------------------------

ANSWER = idempotency.Answer(200, "application/json", b"{}")


def test_a_claim_of_a_process_that_died_lapses(db: None) -> None:
    now = timezone.now()
    first = idempotency.claim("1", "k", "hash", now=now)
    assert isinstance(first, idempotency.Claim)
    with pytest.raises(idempotency.InProgress):
        idempotency.claim("1", "k", "hash", now=now + idempotency.LEASE - timedelta(seconds=1))
    second = idempotency.claim("1", "k", "hash", now=now + idempotency.LEASE)
    assert isinstance(second, idempotency.Claim)
    first.release()  # it was not dead, just slow: the claim is another's now
    first.keep(ANSWER)
    with pytest.raises(idempotency.InProgress):
        idempotency.claim("1", "k", "hash", now=now + idempotency.LEASE)
    second.keep(ANSWER)
    assert idempotency.claim("1", "k", "hash", now=now + idempotency.LEASE) == ANSWER


def test_an_answer_is_kept_for_a_day(db: None) -> None:
    now = timezone.now()
    claim = idempotency.claim("1", "k", "hash", now=now)
    assert isinstance(claim, idempotency.Claim)
    claim.keep(ANSWER)
    assert idempotency.claim("1", "k", "hash", now=now + idempotency.KEPT) == ANSWER
    later = now + idempotency.KEPT + timedelta(seconds=1)
    assert isinstance(idempotency.claim("1", "k", "other", now=later), idempotency.Claim)


def test_a_large_answer_is_not_kept(db: None) -> None:
    claim = idempotency.claim("1", "k", "hash")
    assert isinstance(claim, idempotency.Claim)
    claim.keep(idempotency.Answer(200, "", b"x" * (idempotency.MAX_ANSWER + 1)))
    assert isinstance(idempotency.claim("1", "k", "hash"), idempotency.Claim)
