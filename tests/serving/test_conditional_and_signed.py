"""ETags, and bundles that a copy in a file can be checked by."""

import hashlib
import hmac

import pytest

from tests.processes import manage

from .conftest import Place, soon

PROMPT = "/prompts/one"
NEW = {"name": "one", "title": "One", "content": "Hello {{name}}", "labels": ["production"]}


def test_an_unchanged_prompt_is_not_sent_again(alone: Place) -> None:
    site = alone.add_site()
    site.call("POST", "/prompts", NEW)
    first = site.get(PROMPT)
    etag = first.headers["ETag"]
    for given in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = site.get(PROMPT, **{"If-None-Match": given})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    assert site.get(PROMPT, **{"If-None-Match": '"other"'}).body == first.body
    site.call("PATCH", PROMPT, {"content": "Bye {{name}}"})
    changed = site.get(PROMPT, **{"If-None-Match": etag})
    assert changed.status == 200
    assert changed.headers["ETag"] != etag


def test_a_bundle_is_signed_for_the_key_that_asks(alone: Place) -> None:
    site = alone.add_site()
    site.call("POST", "/prompts", NEW)
    site.call("POST", "/prompts", NEW | {"name": "two", "labels": []})
    for key in (alone.key, alone.make_key("read")):
        site.key = key
        for _ in range(2):
            answer = site.get("/bundle?label=production")
            digest = hashlib.sha256(key.encode()).hexdigest()
            expected = hmac.new(digest.encode(), answer.body, hashlib.sha256).hexdigest()
            assert answer.headers["X-AFN-Signature"] == f"sha256={expected}"
            assert [one["name"] for one in answer.json["prompts"]] == ["one"]
    assert "X-AFN-Signature" not in site.get(PROMPT).headers


def test_a_prompt_that_cannot_be_resolved_keeps_no_other_out(alone: Place) -> None:
    site = alone.add_site()
    site.call("POST", "/prompts", NEW)
    broken = "@@@prompt:name=gone|label=latest@@@"
    alone.sql("UPDATE prompts SET content = ? WHERE name = 'one'", broken)
    site.call("POST", "/prompts", NEW | {"name": "two"})
    bundle = site.get("/bundle?label=latest").json
    assert [one["name"] for one in bundle["prompts"]] == ["two"]
    assert [one["name"] for one in bundle["problems"]] == ["one"]


@pytest.mark.redis
def test_a_revoked_key_stops_within_five_seconds(together: Place) -> None:
    site, other = together.add_site(), together.add_site()
    site.call("POST", "/prompts", NEW)
    key = together.make_key("read")
    other.key = key
    assert {other.get(PROMPT).status for _ in range(5)} == {200}
    together.sql("UPDATE api_keys SET revoked_at = CURRENT_TIMESTAMP WHERE scopes = '[\"read\"]'")
    assert soon(lambda: other.get(PROMPT).status == 401, 5)
    assert other.call("POST", f"{PROMPT}/render", {"variables": {"name": "x"}}).status == 401


def test_a_key_without_the_scope_gets_nothing_from_the_cache(alone: Place) -> None:
    site = alone.add_site()
    site.call("POST", "/prompts", NEW)
    assert [site.get(PROMPT).source for _ in range(2)] == ["miss", "memory"]
    site.key = alone.make_key("write")
    assert {site.get(PROMPT).status for _ in range(3)} == {403}
    site.key = "sk-afn-unknown"
    assert {site.get(PROMPT).status for _ in range(3)} == {401}


def test_unknown_names_are_not_kept(alone: Place) -> None:
    site = alone.add_site()
    assert site.get(PROMPT).status == 404
    assert manage("check", **alone.variables).returncode == 0
    site.call("POST", "/prompts", NEW)
    assert site.get(PROMPT).status == 200
