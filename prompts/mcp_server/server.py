"""The server object: which function answers which request of the protocol."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from mcp.server import Server, ServerRequestContext
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
)
from pydantic import ValidationError

from ..errors import NotThere
from ..langfuse.projects import VERSION
from . import completing, getting, listing, resources
from .callers import Caller
from .failures import Describe, protocol_error, tool_error, wrong_arguments
from .threads import in_thread
from .tools import OPERATIONS, input_schema

INSTRUCTIONS: Final = (
    "A registry of prompts with versions and labels. Find one with search_prompts, read it with get_prompt, "
    "fill it in with render_prompt. Applications mostly use what the label production serves."
)
Context = ServerRequestContext[Any, Any]
CallerOf = Callable[[Context], Caller]
_Params = TypeVar("_Params")
_Result = TypeVar("_Result")


def build_server(caller_of: CallerOf, describe: Describe) -> Server[Any]:
    """A server whose callers are told by `caller_of`, and whose errors are put into words by `describe`.

    That the caller may read has been looked at before. No change of lists is announced: each request is
    answered by itself, with no stream on which one could be.
    """

    def answering(
        work: Callable[[_Params], _Result],
    ) -> Callable[[Context, _Params], Awaitable[_Result]]:
        async def answer(ctx: Context, params: _Params) -> _Result:
            try:
                return await in_thread(work, params)
            except Exception as error:  # the protocol's library would show the text of any
                raise protocol_error(describe(error)) from error

        return answer

    async def call_tool(ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        operation = OPERATIONS.get(params.name)
        if operation is None:
            problem = NotThere("name", f"one of {', '.join(OPERATIONS)}", repr(params.name[:64]))
            raise protocol_error(describe(problem))
        try:
            given = operation.read(params.arguments or {})
        except ValidationError as error:
            return tool_error(wrong_arguments(error))
        try:
            return await in_thread(operation.call, caller_of(ctx), given)
        except Exception as error:  # noqa: BLE001 - as above
            return tool_error(describe(error))

    async def list_tools(ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[operation.tool for operation in OPERATIONS.values()])

    async def list_templates(
        ctx: Context, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return listing.list_templates()

    return Server(
        "afn",
        version=VERSION,
        title="AFN",
        instructions=INSTRUCTIONS,
        get_tool_input_schema=input_schema,
        on_list_prompts=answering(_list_prompts),
        on_get_prompt=answering(_get_prompt),
        on_completion=answering(_complete),
        on_list_resources=answering(_list_resources),
        on_list_resource_templates=list_templates,
        on_read_resource=answering(_read_resource),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _list_prompts(params: PaginatedRequestParams | None) -> ListPromptsResult:
    return listing.list_prompts(params.cursor if params else None)


def _list_resources(params: PaginatedRequestParams | None) -> ListResourcesResult:
    return listing.list_resources(params.cursor if params else None)


def _get_prompt(params: GetPromptRequestParams) -> GetPromptResult:
    return getting.get(params.name, params.arguments or {})


def _read_resource(params: ReadResourceRequestParams) -> ReadResourceResult:
    return resources.read(params.uri)


def _complete(params: CompleteRequestParams) -> CompleteResult:
    return completing.complete(params)
