"""Any service with OpenAI's `/v1/embeddings`: OpenAI, Azure, Ollama, vLLM, LiteLLM…"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import openai
from django.conf import settings

from vectors import outgoing
from vectors.codec import Matrix
from vectors.embedders.base import Embedder
from vectors.embedders.breaker import Breaker
from vectors.errors import EmbedderError, OutgoingRefused, shown

_DEFAULT_MODEL: Final = "text-embedding-3-small"
_NATIVE_DIMENSIONS: Final = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
# The service's bounds: 2,048 inputs and 300,000 tokens a request, 8,192 tokens an input. Tokens are estimated
# at two UTF-8 bytes each, on the safe side for English (4), Japanese (3) and code; the exact count would need
# a vocabulary that tiktoken downloads at run time.
_MAX_INPUTS: Final = 2_048
_BYTES_A_REQUEST: Final = 500_000
_BYTES_AN_INPUT: Final = 16_000
# Of an answer: a number as JSON writes it, on a line of its own, and what stands around the embeddings.
_BYTES_A_NUMBER: Final = 40
_BYTES_AROUND: Final = 1_000_000

_ATTEMPTS: Final = 6
_QUERY_ATTEMPTS: Final = 2  # one, where no answer comes in time
_QUERY_TIMEOUT: Final = 10.0
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0


class OpenAIEmbedder(Embedder):
    """Settings: OPENAI_API_KEY, OPENAI_BASE_URL, AFN_EMBEDDING_MODEL, VECTOR_DIMENSION.

    429, 5xx, time-outs and lost connections are tried again with growing pauses, or after the service's own
    Retry-After (at most 30 s): six attempts for a batch. Behind a query somebody waits: it has two attempts
    and ten seconds for an answer, and while the service fails one query in ten seconds asks it (`Breaker`).
    Texts past the model's window are embedded in pieces and averaged by length, as OpenAI's cookbook does.

    The service is called through `vectors.outgoing`: one that is not public, or has no TLS, needs an entry in
    AFN_OUTGOING_ALLOWED. `timeout` is in seconds for each step; a whole request may take twice as long.
    """

    name = "openai"

    def __init__(
        self,
        *,
        model: str = "",
        dimensions: int | None = None,
        timeout: float = 30.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.model = model or str(getattr(settings, "AFN_EMBEDDING_MODEL", "") or _DEFAULT_MODEL)
        self.dimensions = dimensions or _configured_dimensions(self.model)
        self._key = str(getattr(settings, "OPENAI_API_KEY", "") or "")
        if not self._key:
            raise EmbedderError("OPENAI_API_KEY", "a key for the embedder openai", "nothing", "Set it.")
        self._pause = pause
        self._client = self._connect(timeout)
        self._query_client = self._connect(min(timeout, _QUERY_TIMEOUT))
        self._breaker = Breaker()
        parts = urlsplit(str(self._client.base_url))
        self._address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # for messages

    def _connect(self, timeout: float) -> openai.OpenAI:
        return openai.OpenAI(
            api_key=self._key,
            base_url=str(getattr(settings, "OPENAI_BASE_URL", "") or "") or None,
            timeout=timeout,
            max_retries=0,
            http_client=outgoing.client(
                timeout=timeout,
                deadline=2 * timeout,
                max_bytes=_BYTES_AROUND + _MAX_INPUTS * self.dimensions * _BYTES_A_NUMBER,
                field="OPENAI_BASE_URL",
            ),
        )

    def embed(self, texts: Sequence[str]) -> Matrix:
        """n texts as float32 of shape (n, dimensions), in order, as the service scales them (length 1)."""
        return self._embed(texts, self._client, _ATTEMPTS)

    def embed_query(self, text: str) -> Matrix:
        """One query as float32 of shape (dimensions,); fails at once while the service does."""
        with self._breaker.guarding():
            vector: Matrix = self._embed([text], self._query_client, _QUERY_ATTEMPTS)[0]
        return vector

    def _embed(self, texts: Sequence[str], client: openai.OpenAI, attempts: int) -> Matrix:
        pieces = [(row, piece) for row, text in enumerate(texts) for piece in _pieces(text)]
        vectors = [
            self._request([piece for _, piece in batch], client, attempts)
            for batch in _request_batches(pieces)
        ]
        if len(pieces) == len(texts):
            return np.concatenate(vectors) if vectors else np.empty((0, self.dimensions), np.float32)
        return _averaged(np.concatenate(vectors), pieces, len(texts))

    def _request(self, inputs: list[str], client: openai.OpenAI, attempts: int) -> Matrix:
        for attempt in range(1, attempts + 1):
            try:
                # Only OpenAI's third generation can shorten its embeddings; others refuse the argument.
                shorten = {"dimensions": self.dimensions} if self.model.startswith("text-embedding-3") else {}
                answer = client.embeddings.create(model=self.model, input=inputs, **shorten)  # type: ignore[arg-type]
            except OutgoingRefused as error:
                raise self._refused(error) from None
            except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
                is_late = client is self._query_client and isinstance(error, openai.APITimeoutError)
                if attempt == attempts or is_late or _is_final(error):
                    raise self._error(error, attempt) from None
                self._pause(_pause_after(error, attempt))
            except (openai.OpenAIError, ValueError) as error:
                raise self._error(error, attempt) from None
            else:
                return self._checked(answer, len(inputs))
        raise AssertionError("the last attempt returns or raises")

    def _checked(self, answer: Any, count: int) -> Matrix:
        """The answer's rows in the order of the inputs, or EmbedderError: nothing doubtful is stored."""
        field = f"answer of {self._address}"
        try:
            rows = {int(row.index): row.embedding for row in answer.data}
        except (AttributeError, TypeError, ValueError) as error:
            raise EmbedderError(
                field, "an object with data[].index and data[].embedding", shown(answer)
            ) from error
        if len(answer.data) != count or rows.keys() != set(range(count)):
            raise EmbedderError(
                field, f"{count} embeddings with indexes 0…{count - 1}", f"{len(rows)} embeddings"
            )
        lengths = {len(row) for row in rows.values()}
        if lengths != {self.dimensions}:
            got = " and ".join(str(length) for length in sorted(lengths))
            raise EmbedderError(field, f"{self.dimensions} dimensions", got, "Set VECTOR_DIMENSION.")
        try:
            with np.errstate(over="ignore"):  # what is too large for float32 becomes Inf, refused below
                matrix = np.array([rows[index] for index in range(count)], dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise EmbedderError(field, "lists of numbers", "something else") from error
        if not np.isfinite(matrix).all():
            raise EmbedderError(field, "finite numbers", "NaN or Inf")
        return matrix

    def _error(self, error: Exception, attempts: int) -> EmbedderError:
        """What went wrong and what to do, without the key. (OpenAI's own messages quote parts of it.)"""
        times = f" after {attempts} attempts" if attempts > 1 else ""
        where = f"embeddings of {self.model} from {self._address}"
        status = getattr(error, "status_code", None)
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return EmbedderError(where, "an accepted key", f"status {status}", "Check OPENAI_API_KEY.")
        if isinstance(error, openai.APITimeoutError):
            return EmbedderError(where, "an answer", f"a time-out{times}", "Check the service, or try later.")
        if isinstance(error.__cause__, outgoing.UNREADABLE):
            return EmbedderError(where, "an answer", outgoing.describe(error.__cause__))
        if isinstance(error, openai.APIConnectionError):
            return EmbedderError(
                where, "a connection", f"none{times}", "Check OPENAI_BASE_URL and the network."
            )
        message = shown(str(error).replace(self._key, "…"))
        hint = {
            404: "Check OPENAI_BASE_URL and AFN_EMBEDDING_MODEL.",
            429: "Lower the rate, or check the account's quota.",
        }.get(status or 0, "")
        got = f"status {status}{times}: {message}" if status else f"{type(error).__name__}: {message}"
        return EmbedderError(where, "a valid answer", got, hint)

    def _refused(self, error: OutgoingRefused) -> EmbedderError:
        """The entry that is missing stands beside what came: the API shows everybody the hint alone."""
        got = f"{error.got} ({error.hint.rstrip('.')})" if error.hint else error.got
        hint = "Check OPENAI_BASE_URL and AFN_OUTGOING_ALLOWED."
        return EmbedderError(f"OPENAI_BASE_URL, {self._address}", error.expected, got, hint)


def _configured_dimensions(model: str) -> int:
    configured = getattr(settings, "VECTOR_DIMENSION", None)
    if configured:
        return int(configured)
    if model in _NATIVE_DIMENSIONS:
        return _NATIVE_DIMENSIONS[model]
    raise EmbedderError("VECTOR_DIMENSION", f"the dimensions of {model}", "nothing", "Set VECTOR_DIMENSION.")


def _is_final(error: openai.APIError) -> bool:
    """Would asking again bring the same answer?"""
    return getattr(error, "code", None) == "insufficient_quota" or isinstance(
        error.__cause__, outgoing.UNREADABLE
    )


def _pause_after(error: openai.APIError, attempt: int) -> float:
    """Seconds to wait: Retry-After where the service names one, else 0.5 s doubling, with jitter."""
    response = getattr(error, "response", None)
    named = response.headers.get("retry-after", "") if response is not None else ""
    try:
        seconds = float(named)
    except ValueError:  # absent, or a date
        seconds = _FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311
    return min(max(seconds, 0.0), _LONGEST_PAUSE)


def _pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces of at most 16,000 UTF-8 bytes, at a space in the last tenth if there is one."""
    data = text.encode()
    start = 0
    while len(data) - start > _BYTES_AN_INPUT:
        stop = start + _BYTES_AN_INPUT
        space = data.rfind(b" ", stop - _BYTES_AN_INPUT // 10, stop)
        if space > start:
            stop = space
        while data[stop] & 0xC0 == 0x80:  # inside a character
            stop -= 1
        yield data[start:stop].decode()
        start = stop
    yield data[start:].decode()


def _request_batches(pieces: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    size = 0
    for row, piece in pieces:
        length = len(piece.encode())
        if batch and (len(batch) == _MAX_INPUTS or size + length > _BYTES_A_REQUEST):
            yield batch
            batch, size = [], 0
        batch.append((row, piece))
        size += length
    if batch:
        yield batch


def _averaged(vectors: Matrix, pieces: list[tuple[int, str]], count: int) -> Matrix:
    """The mean of each text's pieces weighted by length, scaled to length 1."""
    rows = np.array([row for row, _ in pieces])
    weights = np.array([len(piece) for _, piece in pieces], dtype=np.float64)
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, rows, vectors * weights[:, np.newaxis])
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    averaged: Matrix = (sums / np.where(norms == 0, 1, norms)).astype(np.float32)
    return averaged
