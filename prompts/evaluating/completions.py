"""Asking a model through any service with OpenAI's `/v1/chat/completions`, and what that costs."""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from vectors import outgoing
from vectors.errors import OutgoingRefused

from .errors import ModelFailed, NotConfigured

if TYPE_CHECKING:
    from openai import OpenAI

logger = logging.getLogger(__name__)
ATTEMPTS: Final = 4
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_MAX_OUTPUT: Final = 1_000_000  # characters
_MAX_TOKENS: Final = 1_000_000_000
# What may be said of the model beside what the service needs; all else is refused when a run is made.
PARAMETERS: Final = (
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "seed", "stop", "response_format",
    "reasoning_effort", "presence_penalty", "frequency_penalty",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Completion:
    """``cost`` is in US dollars, None where nothing is known of the model's prices."""

    text: str
    latency_ms: float
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None


def price_of(model: str) -> tuple[float, float] | None:
    """US dollars for a million tokens in and out (AFN_LLM_PRICES)."""
    found = settings.AFN_LLM_PRICES.get(model)
    return (float(found[0]), float(found[1])) if found else None


def complete(
    messages: Sequence[Mapping[str, str]],
    *,
    model: str,
    parameters: Mapping[str, Any] | None = None,
    timeout: float = 120.0,
    pause: Callable[[float], None] = time.sleep,
) -> Completion:
    """The model's answer. 429, 5xx, time-outs and lost connections are tried again, with growing pauses or
    after the service's own Retry-After; 4 attempts in all. Raises ``ModelFailed``.
    """
    import openai  # not above: it takes 0.3 s and 30 MB, and most processes never ask a model

    with _client(timeout) as client:
        for attempt in range(1, ATTEMPTS + 1):
            started = time.perf_counter()
            try:
                answer = client.chat.completions.create(
                    model=model,
                    messages=list(messages),  # type: ignore[arg-type]
                    **(parameters or {}),
                )
            except OutgoingRefused as error:
                logger.error("The model's service may not be called: %s", error)
                raise ModelFailed("The model's service may not be called; the log says why.") from None
            except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
                if attempt == ATTEMPTS or getattr(error, "code", None) == "insufficient_quota":
                    raise ModelFailed(_describe(error, attempt)) from None
                pause(_pause_after(error, attempt))
            except (openai.OpenAIError, ValueError) as error:
                raise ModelFailed(_describe(error, attempt)) from None
            else:
                return _completion(answer, model, (time.perf_counter() - started) * 1000)
    raise AssertionError("the last attempt returns or raises")


def _client(timeout: float) -> "OpenAI":
    from openai import OpenAI

    key = settings.AFN_LLM_API_KEY or settings.OPENAI_API_KEY
    if not key:
        raise NotConfigured(
            "No model can be asked: set AFN_LLM_API_KEY, and AFN_LLM_BASE_URL if it is not OpenAI's."
        )
    return OpenAI(
        api_key=key,
        base_url=settings.AFN_LLM_BASE_URL or settings.OPENAI_BASE_URL or None,
        max_retries=0,
        timeout=timeout,
        http_client=outgoing.client(timeout=timeout, max_bytes=8_000_000, field="AFN_LLM_BASE_URL"),
    )


def _completion(answer: Any, model: str, latency_ms: float) -> Completion:
    try:
        text = answer.choices[0].message.content
        usage = answer.usage
        tokens_in = _tokens(usage.prompt_tokens) if usage else None
        tokens_out = _tokens(usage.completion_tokens) if usage else None
    except (AttributeError, IndexError, TypeError, ValueError):
        raise ModelFailed("The model's service answered without choices[0].message.content.") from None
    if not isinstance(text, str):
        raise ModelFailed("The model answered without a text.")
    price = price_of(model)
    cost = None
    if price and tokens_in is not None and tokens_out is not None:
        cost = (tokens_in * price[0] + tokens_out * price[1]) / 1_000_000
    return Completion(as_text(text[:_MAX_OUTPUT]), latency_ms, tokens_in, tokens_out, cost)


def as_text(given: str) -> str:
    """Without what no database and no HTTP can carry: NUL, and halves of pairs of surrogates."""
    return given.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _tokens(count: Any) -> int | None:
    """None for a number that cannot be one: what follows from it is money."""
    number = int(count)
    return number if 0 <= number <= _MAX_TOKENS else None


def _describe(error: Exception, attempt: int) -> str:
    status = getattr(error, "status_code", None)
    what = f"status {status}" if status else type(error).__name__
    return f"The model's service failed ({what}) after {attempt} attempt{'s' if attempt > 1 else ''}."


def _pause_after(error: Exception, attempt: int) -> float:
    response = getattr(error, "response", None)
    wanted = response.headers.get("retry-after", "") if response is not None else ""
    if wanted.isascii() and wanted.isdigit():
        return min(float(wanted), _LONGEST_PAUSE)
    return float(min(_FIRST_PAUSE * 2 ** (attempt - 1) * (1 + random.random()), _LONGEST_PAUSE))  # noqa: S311
