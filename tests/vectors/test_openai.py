"""The openai embedder against a server that misbehaves in every way we know of."""

import gzip

import numpy as np
import pytest

from tests.vectors import openai_server as script
from vectors.embedders.breaker import Breaker
from vectors.embedders.openai import OpenAIEmbedder
from vectors.errors import EmbedderError

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def server(settings):
    with script.running() as running:
        settings.AFN_OUTGOING_ALLOWED = [f"127.0.0.1:{running.server_address[1]}"]
        yield running


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def openai(server, settings, pauses):
    settings.OPENAI_API_KEY = KEY
    settings.OPENAI_BASE_URL = server.url
    settings.AFN_EMBEDDING_MODEL = "text-embedding-3-small"
    settings.VECTOR_DIMENSION = 8
    embedder = OpenAIEmbedder(timeout=0.5, pause=pauses.append)
    yield embedder
    embedder._client.close()
    embedder._query_client.close()


def lengths(matrix):
    return matrix[:, 0].tolist()


def test_it_embeds_in_order(openai, server):
    matrix = openai.embed(["a", "bb", "ccc"])
    assert (matrix.shape, matrix.dtype) == ((3, 8), np.float32)
    assert lengths(matrix) == [1, 2, 3]
    (request,) = server.requests
    assert request["path"] == "/v1/embeddings"
    assert request["body"]["model"] == "text-embedding-3-small"
    assert request["body"]["dimensions"] == 8
    assert request["headers"]["Authorization"] == f"Bearer {KEY}"


def test_it_asks_only_models_that_can_to_shorten(server, settings):
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, server.url
    embedder = OpenAIEmbedder(model="nomic-embed-text", dimensions=8)
    embedder.embed(["a"])
    embedder._client.close()
    embedder._query_client.close()
    assert "dimensions" not in server.requests[0]["body"]


def test_it_restores_the_order_of_a_shuffled_answer(openai, server):
    server.script = [script.changed(lambda rows: rows[::-1])]
    assert lengths(openai.embed(["a", "bb", "ccc"])) == [1, 2, 3]


def test_it_embeds_nothing_without_asking(openai, server):
    assert openai.embed([]).shape == (0, 8)
    assert server.requests == []


def test_it_waits_as_long_as_it_is_told(openai, server, pauses):
    server.script = [script.status(429, Retry_After="7"), script.status(429, Retry_After="900")]
    assert lengths(openai.embed(["a"])) == [1]
    assert pauses == [7.0, 30.0]


@pytest.mark.parametrize("bad", [script.status(500), script.status(503), script.cut])
def test_it_tries_again_with_growing_pauses(openai, server, pauses, bad):
    server.script = [bad] * 3
    assert lengths(openai.embed(["a"])) == [1]
    assert [round(pause / 2**at, 1) for at, pause in enumerate(pauses)] == pytest.approx([0.5] * 3, abs=0.2)


def test_it_gives_up_and_says_so(openai, server, pauses):
    server.script = [script.status(500)] * 10
    with pytest.raises(EmbedderError, match="status 500 after 6 attempts"):
        openai.embed(["a"])
    assert len(server.requests) == 6
    assert len(pauses) == 5


def test_a_query_is_tried_twice_only(openai, server):
    server.script = [script.status(503)] * 10
    with pytest.raises(EmbedderError, match="after 2 attempts"):
        openai.embed_query("a")


def test_it_does_not_wait_for_ever(openai, server):
    server.script = [script.hang] * 2
    with pytest.raises(EmbedderError, match="a time-out after 2 attempts"):
        openai._embed(["a"], openai._client, 2)


def test_it_survives_one_hang(openai, server):
    server.script = [script.hang]
    assert lengths(openai.embed(["abc"])) == [3]


def test_a_query_waits_once_and_those_after_it_are_told_at_once(openai, server):
    seconds = [100.0]
    openai._breaker._clock = lambda: seconds[0]
    server.script = [script.hang, script.status(500), script.status(500)]
    with pytest.raises(EmbedderError, match=r"got a time-out\. Check"):
        openai.embed_query("a")
    seconds[0] += 4
    with pytest.raises(EmbedderError, match=r"a time-out, 4 s ago \(it is asked again in 6 s\)\. Check"):
        openai.embed_query("a")
    assert len(server.requests) == 1
    server.script = []
    assert lengths(openai.embed(["ab"])) == [2]  # a batch is not held back
    seconds[0] += 6
    server.script = [script.status(500), script.status(500)]
    with pytest.raises(EmbedderError, match="status 500 after 2 attempts"):
        openai.embed_query("a")
    seconds[0] += 10
    assert openai.embed_query("abc")[0] == 3
    assert openai.embed_query("ab")[0] == 2


def test_of_many_threads_one_asks_a_service_that_fails(openai, server):
    seconds = [100.0]
    breaker = Breaker(clock=lambda: seconds[0])
    failure = EmbedderError("service", "an answer", "none")
    with pytest.raises(EmbedderError), breaker.guarding():
        raise failure
    seconds[0] += 10
    with breaker.guarding(), pytest.raises(EmbedderError, match="10 s ago"), breaker.guarding():
        pytest.fail("a second one asked")
    with breaker.guarding(), breaker.guarding():  # the first was answered
        pass


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (script.raw(b"not json at all"), "valid answer|object with data"),
        (script.raw(b"{}"), "expected"),
        (script.raw(b'{"data": []}'), "expected"),
        (script.changed(lambda rows: rows[:1]), "2 embeddings"),
        (script.changed(lambda rows: [rows[0], rows[0]]), "2 embeddings"),
        (script.changed(lambda rows: [*rows, {**rows[0], "index": 7}]), "2 embeddings"),
        (
            script.changed(lambda rows: [{**row, "embedding": [1.0] * 5} for row in rows]),
            "8 dimensions, got 5",
        ),
        (script.changed(lambda rows: [rows[0], {**rows[1], "embedding": [1.0]}]), "got 1 and 8"),
        (script.changed(lambda rows: [{**row, "embedding": [float("nan")] * 8} for row in rows]), "finite"),
        (script.changed(lambda rows: [{**row, "embedding": [1e300] * 8} for row in rows]), "finite|numbers"),
        (script.changed(lambda rows: [{**row, "embedding": ["x"] * 8} for row in rows]), "expected"),
        (script.changed(lambda rows: None), "expected"),
        (script.status(400, "too long"), "status 400.*too long"),
        (script.status(404, "no such model"), "AFN_EMBEDDING_MODEL"),
        (script.status(429, "quota", "insufficient_quota"), "account's quota"),
    ],
)
def test_it_accepts_no_doubtful_answer(openai, server, pauses, reply, message):
    server.script = [reply]
    with pytest.raises(EmbedderError, match=message):
        openai.embed(["a", "bb"])
    assert pauses == []  # none of these gets better by asking again


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_is_never_shown(openai, server, code, caplog):
    caplog.set_level("DEBUG")
    server.script = [script.status(code, f"Incorrect API key provided: {KEY[:8]}…, {KEY}")]
    with pytest.raises(EmbedderError) as caught:
        openai.embed(["a"])
    assert "OPENAI_API_KEY" in str(caught.value)
    assert KEY[:8] not in str(caught.value)
    assert caught.value.__cause__ is None
    assert KEY not in caplog.text


def test_a_server_that_is_not_there_is_named(settings, pauses):
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, "http://127.0.0.1:9/v1"
    settings.AFN_OUTGOING_ALLOWED = ["127.0.0.1:9"]
    embedder = OpenAIEmbedder(pause=pauses.append)
    with pytest.raises(EmbedderError, match="OPENAI_BASE_URL"):
        embedder.embed_query("a")
    embedder._client.close()
    embedder._query_client.close()


@pytest.mark.parametrize("allowed", [[], ["127.0.0.1:1"], ["*.example.org"]])
def test_a_service_within_the_network_needs_an_entry_which_the_error_names(
    openai, server, settings, pauses, allowed
):
    settings.AFN_OUTGOING_ALLOWED = allowed
    with pytest.raises(EmbedderError) as caught:
        openai.embed(["a"])
    assert f"AFN_OUTGOING_ALLOWED=127.0.0.1:{server.server_address[1]}" in str(caught.value)
    assert "127.0.0.1" not in caught.value.hint  # the API shows it to everybody
    assert KEY not in str(caught.value)
    assert (server.requests, pauses) == ([], [])


def test_a_redirect_is_not_followed(openai, server, pauses):
    server.script = [script.status(307, Location=f"{server.url}/elsewhere")]
    with pytest.raises(EmbedderError, match="status 307"):
        openai.embed(["a"])
    assert [request["path"] for request in server.requests] == ["/v1/embeddings"]


def test_an_answer_without_end_is_given_up_at_once(openai, server, pauses):
    server.script = [script.raw(b" " * 2_000_000)]
    with pytest.raises(EmbedderError, match="longer than 1655360 bytes"):
        openai.embed(["a"])
    assert pauses == []


def test_a_packed_answer_is_not_unpacked(openai, server, pauses):
    bomb = gzip.compress(bytes(10_000_000))
    server.script = [lambda handler, _: handler.send(200, bomb, Content_Encoding="gzip")]
    with pytest.raises(EmbedderError, match="packed"):
        openai.embed(["a"])
    assert pauses == []


def test_it_cuts_batches_by_count(openai, server):
    matrix = openai.embed(["x" * (1 + at % 5) for at in range(5_000)])
    assert lengths(matrix) == [1 + at % 5 for at in range(5_000)]
    assert [len(request["body"]["input"]) for request in server.requests] == [2_048, 2_048, 904]


def test_it_cuts_batches_by_size(openai, server):
    openai.embed(["x" * 15_000] * 100)
    sizes = [sum(len(text) for text in request["body"]["input"]) for request in server.requests]
    assert max(sizes) <= 500_000
    assert sum(sizes) == 1_500_000


def test_a_text_past_the_models_window_is_averaged_from_pieces(openai, server):
    long = "日本語 " * 10_000
    matrix = openai.embed(["short", long, "end"])
    inputs = [text for request in server.requests for text in request["body"]["input"]]
    assert max(len(text.encode()) for text in inputs) <= 16_000
    assert "".join(inputs[1:-1]) == long
    assert np.linalg.norm(matrix, axis=1) == pytest.approx([1, 1, 1])


def test_it_needs_a_key(settings):
    settings.OPENAI_API_KEY = ""
    with pytest.raises(EmbedderError, match="OPENAI_API_KEY"):
        OpenAIEmbedder()


def test_an_unknown_model_needs_its_dimensions(settings):
    settings.OPENAI_API_KEY, settings.VECTOR_DIMENSION = KEY, None
    with pytest.raises(EmbedderError, match="VECTOR_DIMENSION"):
        OpenAIEmbedder(model="nomic-embed-text")
    assert OpenAIEmbedder(model="text-embedding-3-large").dimensions == 3072
