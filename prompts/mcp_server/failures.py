"""Errors as MCP knows them: of the protocol (JSON-RPC), or of a tool, which the model reads and mends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from mcp import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, CallToolResult, TextContent
from pydantic import ValidationError

_MAX_PROBLEMS: Final = 20
_MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """``status`` is the one of the REST API, ``detail`` a text or ``{field, msg, expected, got}`` each."""

    status: int
    detail: Any

    @property
    def text(self) -> str:
        if isinstance(self.detail, str):
            return self.detail
        return " ".join(f"{one.get('field', 'arguments')}: {one['msg'].rstrip('.')}." for one in self.detail)

    @property
    def code(self) -> int:
        """Of JSON-RPC."""
        if self.status >= 500:
            return INTERNAL_ERROR
        return INVALID_REQUEST if self.status in (401, 403) else INVALID_PARAMS

    def as_json(self) -> dict[str, Any]:
        return {"status": self.status, "detail": self.detail}


# An exception as the wiring would answer it; of what nobody foresaw it tells nothing but that.
Describe = Callable[[Exception], Failure]


def protocol_error(failure: Failure) -> MCPError:
    return MCPError(failure.code, failure.text, failure.as_json())


def tool_error(failure: Failure) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(text=failure.text)], structured_content=failure.as_json(), is_error=True
    )


def wrong_arguments(error: ValidationError) -> Failure:
    """What a tool's schema says of its arguments."""
    problems = [_problem(dict(one)) for one in error.errors(include_url=False)]
    return Failure(422, problems[:_MAX_PROBLEMS])


def _problem(error: dict[str, Any]) -> dict[str, str]:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    shown = field.removeprefix(".")[:_MAX_SHOWN].encode("utf-8", "replace").decode() or "arguments"
    kind = error["type"]
    got = "nothing" if kind == "missing" else _shown(error["input"])
    if kind == "missing":
        expected = "a value"
    elif kind == "extra_forbidden":
        expected, got = "an argument of this tool", "another one"
    else:
        expected = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    msg = expected if expected.startswith("Expected ") else f"Expected {expected}, got {got}"
    return {"field": shown, "msg": msg, "expected": expected.removeprefix("Expected "), "got": got}


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
