import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from prompts.langfuse import scores
from prompts.models import TraceScore, User

from .conftest import Langfuse, client_of, problem

SCORE: dict[str, Any] = {"id": "s-1", "traceId": "t-1", "name": "accuracy", "value": 0.9}


def test_one_score_is_answered_with_its_id(langfuse: Langfuse) -> None:
    response = langfuse.post("/scores", SCORE)
    assert (response.status_code, response.json()) == (200, {"id": "s-1"})
    made = langfuse.post("/scores", SCORE | {"id": None}).json()["id"]
    assert len(made) == 32
    assert TraceScore.objects.count() == 2


def test_a_list_is_accepted_as_a_whole(langfuse: Langfuse) -> None:
    response = langfuse.post("/scores", [SCORE, SCORE | {"id": "s-2"}])
    assert response.status_code == 202
    # Clients of version 5 take an answer with errors for a refusal.
    assert response.json() == {"message": "Accepted", "accepted": 2, "rejected": 0}
    assert langfuse.post("/scores", []).status_code == 202


def test_of_a_list_what_is_wrong_is_rejected_and_the_rest_kept(langfuse: Langfuse) -> None:
    response = langfuse.post(
        "/scores", [SCORE, SCORE | {"id": "s-2", "value": None}, "x", SCORE | {"name": ""}]
    )
    assert response.status_code == 207
    body = response.json()
    assert (body["accepted"], body["rejected"]) == (1, 3)
    assert [one["message"].partition(" ")[0] for one in body["errors"]] == ["[1]", "[2]", "[3]"]
    assert "got nothing" in body["errors"][0]["message"]
    assert list(TraceScore.objects.values_list("pk", flat=True)) == ["s-1"]


def test_a_score_reads_back_as_it_was_sent(langfuse: Langfuse, user: User) -> None:
    sent = SCORE | {
        "observationId": "o", "sessionId": "s", "datasetRunId": "d", "dataType": "NUMERIC", "comment": "短い",
        "configId": "c", "environment": "prod_1", "metadata": {"prompt": "a", "version": 2},
        "timestamp": "2026-05-01T09:00:00+09:00",
    }  # fmt: skip
    langfuse.post("/scores", sent)
    body = langfuse.get("/scores", name="accuracy").json()
    assert body["meta"] == {"page": 1, "limit": 50, "totalItems": 1, "totalPages": 1}
    found = body["data"][0]
    assert {found.pop(name)[-1] for name in ("createdAt", "updatedAt")} == {"Z"}
    assert found == sent | {
        "timestamp": "2026-05-01T00:00:00.000Z",
        "stringValue": None,
        "source": "API",
        "authorUserId": user.pk,
        "queueId": None,
        "projectId": "afn",
    }


@pytest.mark.parametrize(
    ("value", "kind", "expected", "v1", "v2", "v3"),
    [
        (1, None, "NUMERIC", 1.0, (1.0, None), 1.0),
        (-0.5, "NUMERIC", "NUMERIC", -0.5, (-0.5, None), -0.5),
        (True, "BOOLEAN", "BOOLEAN", 1.0, (1.0, "True"), True),
        (0, "BOOLEAN", "BOOLEAN", 0.0, (0.0, "False"), False),
        ("kind", None, "CATEGORICAL", "kind", (0.0, "kind"), "kind"),
        ("0.9", None, "CATEGORICAL", "0.9", (0.0, "0.9"), "0.9"),
        ("why", "TEXT", "TEXT", "why", (0.0, "why"), "why"),
        ("better", "CORRECTION", "CORRECTION", "better", (0.0, "better"), "better"),
    ],
)
def test_values_have_a_form_for_each_version(
    langfuse: Langfuse, value: Any, kind: str | None, expected: str, v1: Any, v2: Any, v3: Any
) -> None:
    assert langfuse.post("/scores", SCORE | {"value": value, "dataType": kind}).status_code == 200
    first = langfuse.get("/scores").json()["data"][0]
    second = langfuse.get("/v2/scores").json()["data"][0]
    third = langfuse.get("/v3/scores").json()["data"][0]
    assert {first["dataType"], second["dataType"], third["dataType"]} == {expected}
    assert first["value"] == v1
    assert (second["value"], second["stringValue"]) == v2
    assert third["value"] == v3
    assert type(third["value"]) is type(v3)
    assert langfuse.get("/v2/scores/s-1").json() == second


def test_the_same_id_again_replaces_the_score(langfuse: Langfuse) -> None:
    langfuse.post("/scores", SCORE | {"comment": "first", "metadata": {"x": 1}})
    created = TraceScore.objects.get().created_at
    langfuse.post("/scores", [SCORE | {"value": 0.1}, SCORE | {"value": "low", "name": "level"}])
    score = TraceScore.objects.get()
    assert (score.value, score.string_value, score.name) == (None, "low", "level")
    assert (score.comment, score.metadata, score.created_at) == ("", {}, created)


def test_the_id_of_somebody_else_is_refused(langfuse: Langfuse) -> None:
    langfuse.post("/scores", SCORE)
    other = client_of(User.objects.create_superuser("ken", "ken@example.com", "x"))
    assert "somebody else" in problem(other.post("/scores", SCORE | {"value": 0}), 400)
    response = other.post("/scores", [SCORE | {"value": 0}, SCORE | {"id": "s-2"}])
    assert (response.status_code, response.json()["accepted"]) == (207, 1)
    assert TraceScore.objects.get(pk="s-1").value == 0.9


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""}, {"id": "x" * 256}, {"id": 5}, {"id": "\0"},
        {"name": None}, {"name": ""}, {"name": "x" * 256}, {"name": "a\0"}, {"name": 1},
        {"value": None}, {"value": []}, {"value": {}}, {"value": ""}, {"value": "x" * 10_001},
        {"value": "\0"}, {"value": 10**400},
        {"value": "x", "dataType": "NUMERIC"}, {"value": 1, "dataType": "CATEGORICAL"},
        {"value": 0.5, "dataType": "BOOLEAN"}, {"dataType": "OTHER"}, {"dataType": 1},
        {"traceId": None}, {"traceId": "x" * 256}, {"traceId": "\0"}, {"traceId": 1},
        {"traceId": None, "sessionId": "s", "observationId": "o"},
        {"observationId": "x" * 256}, {"sessionId": "x" * 256}, {"datasetRunId": ["x"]},
        {"comment": "x" * 10_001}, {"comment": "\0"}, {"comment": 1},
        {"configId": "x" * 256}, {"environment": "Prod"}, {"environment": ""}, {"environment": "x" * 41},
        {"metadata": {"x": "y" * 70_000}}, {"metadata": {"x": "\0"}}, {"metadata": {"a": 2**70}},
        {"metadata": [[[[[[[[[[1]]]]]]]]]]},
        {"timestamp": "yesterday"}, {"timestamp": 5}, {"timestamp": "2026-01-01T00:00:00"},
        {"timestamp": "0001-01-01T00:00:00+14:00"}, {"timestamp": "9999-12-31T23:59:59-01:00"},
    ],
)  # fmt: skip
def test_every_member_is_bounded(langfuse: Langfuse, change: dict[str, Any]) -> None:
    problem(langfuse.post("/scores", SCORE | change), 400)
    assert langfuse.post("/scores", [SCORE | change]).status_code == 207
    assert not TraceScore.objects.exists()


@pytest.mark.parametrize("body", [b"1", b'"x"', b"null", b"", b"[", b"\xff", b'[{"name": "\\ud800"}, 1]'])
def test_a_body_that_is_no_score_is_refused(langfuse: Langfuse, body: bytes) -> None:
    response = langfuse.post("/scores", body)
    assert response.status_code in (207, 400)
    if response.status_code == 400:
        problem(response, 400)
    assert not TraceScore.objects.exists()


def test_infinite_numbers_are_no_json(langfuse: Langfuse) -> None:
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999"):
        problem(langfuse.post("/scores", b'{"name": "x", "traceId": "t", "value": %b}' % number), 400)


def test_metadata_that_is_no_object_becomes_a_member_of_one(langfuse: Langfuse) -> None:
    langfuse.post("/scores", SCORE | {"metadata": [1, 2]})
    assert TraceScore.objects.get().metadata == {"metadata": [1, 2]}


def test_more_than_one_statement_carries_are_stored(langfuse: Langfuse) -> None:
    sent = [SCORE | {"id": f"s-{at}", "comment": "あ" * 1_000} for at in range(700)]
    assert langfuse.post("/scores", sent).status_code == 202
    assert langfuse.post("/scores", sent).status_code == 202
    assert TraceScore.objects.count() == 700


def test_too_many_at_once_are_refused(langfuse: Langfuse) -> None:
    assert "at most 10,000" in problem(langfuse.post("/scores", [1] * 10_001), 400)


def test_filters_narrow_what_is_listed(langfuse: Langfuse, user: User) -> None:
    base = {"traceId": "t", "value": 1, "timestamp": "2026-01-01T00:00:00Z"}
    given = [
        {"id": "a", "name": "x", "environment": "prod"},
        {"id": "b", "name": "y", "observationId": "o", "configId": "c"},
        {"id": "c", "name": "x", "traceId": "u", "sessionId": "s", "timestamp": "2026-02-01T00:00:00Z"},
        {"id": "d", "name": "z", "value": "v", "datasetRunId": "r"},
    ]
    assert langfuse.post("/scores", [base | one for one in given]).status_code == 202

    def found(**query: Any) -> str:
        ids = "".join(one["id"] for one in langfuse.get("/scores", **query).json()["data"])
        assert "".join(one["id"] for one in langfuse.get("/v2/scores", **query).json()["data"]) == ids
        return ids

    assert found() == "cdba"
    assert found(name="x") == "ca"
    assert found(traceId="t", name="x") == "a"
    assert found(observationId="o,p") == found(configId="c") == "b"
    assert found(sessionId="s") == found(fromTimestamp="2026-02-01T00:00:00Z") == "c"
    assert found(toTimestamp="2026-02-01T00:00:00Z") == "dba"
    assert found(dataType="CATEGORICAL") == found(datasetRunId="r") == "d"
    assert found(environment=["prod", "other"]) == "a"
    assert found(scoreIds="a,d,nothing") == "da"
    assert found(limit=3, page=2) == "a"


def test_a_cursor_leads_through_all_of_them(langfuse: Langfuse) -> None:
    same = [SCORE | {"id": f"{at}", "timestamp": f"2026-01-0{1 + at // 3}T00:00:00Z"} for at in range(7)]
    langfuse.post("/scores", same)
    seen, cursor = [], {}
    for _ in range(4):
        body = langfuse.get("/v3/scores", limit=2, **cursor).json()
        seen += [one["id"] for one in body["data"]]
        if "cursor" not in body["meta"]:
            break
        cursor = {"cursor": body["meta"]["cursor"]}
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_version_3_shows_what_is_asked_for(langfuse: Langfuse, user: User) -> None:
    langfuse.post("/scores", SCORE | {"observationId": "o", "comment": "why"})
    langfuse.post("/scores", SCORE | {"id": "s-2", "traceId": None, "sessionId": "s"})
    second, first = langfuse.get("/v3/scores", fields="details,subject,annotation").json()["data"]
    assert (first["comment"], first["authorUserId"]) == ("why", user.pk)
    assert first["subject"] == {"kind": "observation", "id": "o", "traceId": "t-1"}
    assert second["subject"] == {"kind": "session", "id": "s"}
    assert "comment" not in langfuse.get("/v3/scores").json()["data"][0]
    for query in (
        {"id": "s-1,x"},
        {"traceId": "t-1", "dataType": "numeric"},
        {"name": "accuracy", "observationId": "o"},
    ):
        assert [one["id"] for one in langfuse.get("/v3/scores", **query).json()["data"]] == ["s-1"]


def _cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize("path", ["/scores", "/v2/scores", "/v3/scores"])
@pytest.mark.parametrize(
    "query",
    [
        {"limit": 101}, {"limit": 0}, {"name": "\0"}, {"fromTimestamp": "x"}, {"operator": ">"},
        {"userId": "u"}, {"toTimestamp": "9999-12-31T23:59:59-14:00"},
    ],
)  # fmt: skip
def test_a_query_that_is_none_is_refused(langfuse: Langfuse, path: str, query: dict[str, Any]) -> None:
    problem(langfuse.get(path, **query), 400)


@pytest.mark.parametrize(
    "query",
    [
        {"fields": "everything"}, {"cursor": "x"}, {"cursor": "é"}, {"cursor": _cursor("x")},
        {"cursor": _cursor([1, 2])}, {"cursor": _cursor(["2026-01-01T00:00:00Z", "\0"])},
        {"cursor": _cursor(["0001-01-01T00:00:00+14:00", "x"])}, {"page": 1},
    ],
)  # fmt: skip
def test_a_cursor_that_is_none_is_refused(langfuse: Langfuse, query: dict[str, Any]) -> None:
    problem(langfuse.get("/v3/scores", **query), 400)


def test_a_score_is_taken_back(langfuse: Langfuse) -> None:
    langfuse.post("/scores", SCORE | {"id": "a/b"})
    assert langfuse.delete("/scores/a%2Fb").status_code == 202
    problem(langfuse.delete("/scores/a%2Fb"), 404)
    problem(langfuse.get("/v2/scores/a%2Fb"), 404)
    problem(langfuse.get("/v2/scores/%00"), 400)


def test_the_moment_is_now_where_none_is_given(user: User) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert scores.keep([SCORE], user=user, now=now) == [scores.Result("s-1")]
    assert TraceScore.objects.get().timestamp == now


def test_plain_sql_may_write_no_other_types(user: User) -> None:
    statement = (
        "INSERT INTO trace_scores (user_id, name, data_type, timestamp) VALUES (%s, 'x', %s, '2026-01-01')"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [user.pk, "TEXT"])
        for kind in ("OTHER", "NUMERIC"):
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute(statement, [user.pk, kind])
    assert TraceScore.objects.get().environment == "default"
