import gzip
import json
import zlib
from typing import Any

import pytest
from prometheus_client import REGISTRY

from prompts.langfuse import otlp
from prompts.models import TraceScore, User

from .conftest import Langfuse, client_of, problem

PROTOBUF = "application/x-protobuf"
TRACES = "/otel/v1/traces"


def event(key: str, **body: Any) -> dict[str, Any]:
    return {"id": key, "type": "score-create", "timestamp": "2026-05-01T00:00:00Z", "body": body}


def dropped(kind: str) -> float:
    return REGISTRY.get_sample_value("afn_langfuse_dropped_total", {"kind": kind}) or 0.0


def test_scores_of_a_batch_are_kept_and_all_else_is_counted(langfuse: Langfuse) -> None:
    before = dropped("event")
    batch = [
        event("e-1", id="s-1", traceId="t", name="x", value=0.5),
        {"id": "e-2", "type": "trace-create", "timestamp": "now", "body": {"anything": 1}},
        event("e-3", name="x"),
        {"id": "e-4"},
        "e-5",
        event("e-6", id="s-2", traceId="t", name="x", value=1, timestamp="2026-06-01T00:00:00Z"),
    ]
    response = langfuse.post("/ingestion", {"batch": batch, "metadata": {"sdk_name": "python"}})
    assert response.status_code == 207
    body = response.json()
    assert sorted((one["id"], one["status"]) for one in body["successes"]) == [
        ("e-1", 201),
        ("e-2", 201),
        ("e-6", 201),
    ]
    assert sorted((one["id"], one["status"]) for one in body["errors"]) == [
        ("", 400),
        ("e-3", 400),
        ("e-4", 400),
    ]
    assert all(one["message"] and one["error"] == "InvalidRequestError" for one in body["errors"])
    moments = TraceScore.objects.order_by("pk").values_list("timestamp", flat=True)
    assert [moment.month for moment in moments] == [5, 6]
    assert dropped("event") == before + 1


@pytest.mark.parametrize(
    "body",
    [{}, {"batch": None}, {"batch": {}}, {"batch": "x"}, [], b"", b"{", b"null", {"batch": [1] * 10_001}],
)
def test_what_is_no_batch_is_refused(langfuse: Langfuse, body: Any) -> None:
    problem(langfuse.post("/ingestion", body if isinstance(body, bytes) else json.dumps(body)), 400)


def varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def member(number: int, *messages: bytes) -> bytes:
    return b"".join(varint(number << 3 | 2) + varint(len(one)) + one for one in messages)


def spans(*counts: int) -> bytes:
    """An ExportTraceServiceRequest with so many spans in each of its resource spans."""
    span = (
        member(1, b"t" * 16) + varint(7 << 3 | 1) + b"\0" * 8 + varint(6 << 3) + varint(300) + b"\x85\x01abcd"
    )
    scope = member(1, member(1, b"sdk"))
    return b"".join(member(1, member(2, scope + member(2, *[span] * count))) for count in counts)


@pytest.mark.parametrize("packed", [False, True])
def test_spans_are_counted_and_dropped(user: User, packed: bool) -> None:
    reader, before = client_of(user, "read"), dropped("span")
    body = gzip.compress(spans(3, 200), mtime=0) if packed else spans(3, 200)
    headers = {"Content-Encoding": "gzip"} if packed else {}
    response = reader.post(TRACES, body, PROTOBUF, **headers)
    assert (response.status_code, response.content, response["Content-Type"]) == (200, b"", PROTOBUF)
    assert dropped("span") == before + 203


def test_spans_come_as_json_too(langfuse: Langfuse) -> None:
    before = dropped("span")
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{}, {}]}, {}]}, {}]}
    response = langfuse.post(TRACES, json.dumps(body), "application/json; charset=utf-8")
    assert (response.status_code, response.json()) == (200, {})
    assert dropped("span") == before + 2
    assert langfuse.post(TRACES, b"{}").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "encoding"),
    [
        (b"\xff" * 20, PROTOBUF, ""),
        (b"\x0a\x05ab", PROTOBUF, ""),
        (b"\x0a", PROTOBUF, ""),
        (b"\x0b\x00", PROTOBUF, ""),
        (b"\x02\x00", PROTOBUF, ""),
        (spans(2)[:-3], PROTOBUF, ""),
        (b"\x08\x01" * 1_000_001, PROTOBUF, ""),
        (spans(1), PROTOBUF, "gzip"),
        (b"", PROTOBUF, "gzip"),
        (gzip.compress(spans(1), mtime=0)[:-9], PROTOBUF, "gzip"),
        (zlib.compress(spans(1)), PROTOBUF, "gzip"),
        (gzip.compress(b"\0" * (64 * 2**20 + 1), mtime=0), PROTOBUF, "gzip"),
        (b"[]", "application/json", ""),
        (b"{", "application/json", ""),
        (b"", "application/json", ""),
        (b"\xff", "application/json", ""),
        (b"[" * 100_000, "application/json", ""),
        (b'{"resourceSpans": 1}', "application/json", ""),
        (b'{"resourceSpans": [{"scopeSpans": [1]}]}', "application/json", ""),
        (spans(1), "text/plain", ""),
        (spans(1), "", ""),
    ],
)
def test_bodies_that_are_none_are_refused(langfuse: Langfuse, body: bytes, kind: str, encoding: str) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    problem(langfuse.post(TRACES, body, kind, **headers), 400)


def test_only_traces_may_be_packed_and_only_with_gzip(langfuse: Langfuse) -> None:
    problem(langfuse.post(TRACES, spans(1), PROTOBUF, **{"Content-Encoding": "deflate"}), 415)
    packed = gzip.compress(b"[]", mtime=0)
    problem(langfuse.post("/scores", packed, **{"Content-Encoding": "gzip"}), 415)
    kind, headers = "application/json", {"Content-Encoding": "gzip"}
    response = langfuse.client.post("/api/v1/prompts", packed, kind, headers=headers)
    assert set(response.json()) == {"detail"}


def test_a_body_without_spans_counts_none() -> None:
    assert otlp.count_spans(b"", PROTOBUF) == 0
    assert otlp.count_spans(member(9, b"x"), PROTOBUF) == 0
