"""The tools: what each is called, says of itself, takes, does and gives.

They do what the operations of the REST API do, and call those where the work is done there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.core.exceptions import ValidationError
from mcp.types import CallToolResult, TextContent, Tool, ToolAnnotations
from pydantic import BaseModel
from pydantic_core import to_json

from vectors.permissions import READING
from vectors.schemas import Paging

from ..api import comparing, evaluations, versions
from ..api.evaluation_schemas import EvaluationIn as ApiEvaluationIn
from ..api.rendering import render_prompt as render_operation
from ..api.schemas import RenderIn as ApiRenderIn
from ..api.version_schemas import DiffQuery
from ..search import search_prompts
from ..serving import reading
from . import tool_schemas as schemas
from .callers import Caller, request_of


@dataclass(frozen=True)
class Operation:
    """``run`` gives what ``output`` shows; ``permission`` is Django's, READING where nothing changes."""

    name: str
    title: str
    input: type[BaseModel]
    output: type[BaseModel]
    run: Callable[[Caller, Any], Any]
    permission: str = READING

    @cached_property
    def tool(self) -> Tool:
        is_reading = self.permission == READING
        return Tool(
            name=self.name,
            title=self.title,
            description=self.run.__doc__,
            input_schema=self.input.model_json_schema(),
            output_schema=self.output.model_json_schema(mode="serialization"),
            annotations=ToolAnnotations(
                title=self.title,
                read_only_hint=is_reading,
                destructive_hint=False,
                idempotent_hint=is_reading,
                open_world_hint=False,
            ),
        )

    def call(self, caller: Caller, given: BaseModel) -> CallToolResult:
        """Raises what the work raises."""
        shown = self.output.model_validate(self.run(caller, given))
        content = shown.model_dump(mode="json", by_alias=True)
        return CallToolResult(
            content=[TextContent(text=to_json(content).decode())], structured_content=content
        )

    def read(self, arguments: Mapping[str, Any]) -> BaseModel:
        """Raises pydantic's ``ValidationError``."""
        return self.input.model_validate(dict(arguments))


def _search(caller: Caller, given: schemas.SearchIn) -> dict[str, Any]:
    """Find prompts by meaning and by words, in English and in Japanese."""
    return search_prompts(**given.model_dump()).as_json()


def _get(caller: Caller, given: schemas.GetIn) -> dict[str, Any]:
    """One version of a prompt: its content with all that it includes, its variables, labels and config."""
    served = reading.read(given.name, version=given.version, label=given.label or "", at=given.at)
    return reading.as_json(served, served.compose() if given.resolve else served.alone())


def _versions(caller: Caller, given: schemas.VersionsIn) -> dict[str, Any]:
    """All versions of a prompt without their content, the newest first: who made each, why, its labels."""
    request = request_of(caller.admit(READING))
    return versions.list_versions(request, given.name, Paging(limit=given.limit, offset=given.offset))


def _diff(caller: Caller, given: schemas.DiffIn) -> dict[str, Any]:
    """What changed between two versions of a prompt: a unified diff, and changes of config and variables."""
    query = DiffQuery.model_validate({"from": given.from_version, "to": given.to_version})
    found = comparing.diff_versions(request_of(caller.admit(READING)), given.name, query)
    changes = [
        {"field": one["field"], "from_value": one["from"], "to_value": one["to"]} for one in found["changes"]
    ]
    ends = {"from_version": found["from"], "to_version": found["to"]}
    return {**found, **ends, "name": given.name, "changes": changes}


def _render(caller: Caller, given: schemas.RenderIn) -> dict[str, Any]:
    """A prompt with values in place of its variables. A missing or unknown one is an error, as is a value of
    another type.
    """
    payload = ApiRenderIn.model_validate(given.model_dump(exclude={"name"}))
    return render_operation(request_of(caller.admit(READING)), given.name, payload)


def _evaluate(caller: Caller, given: schemas.EvaluationIn) -> Any:
    """Record how good a version of a prompt was, as a score from 0 to 1."""
    user = caller.admit("prompts.add_evaluation")
    values = given.model_dump(exclude={"name", "score_name"})
    payload = ApiEvaluationIn.model_validate({**values, "name": given.score_name})
    try:
        return evaluations.create_evaluation(request_of(user), given.name, payload).value
    except ValidationError as error:
        raise _of_score_name(error) from error


def _of_score_name(error: ValidationError) -> ValidationError:
    """The registry calls `name` what is `score_name` here."""
    named = error.error_dict if hasattr(error, "error_dict") else {"score": [error]}
    return ValidationError({"score_name" if name == "name" else name: of for name, of in named.items()})


OPERATIONS: Final = {
    one.name: one
    for one in (
        Operation("search_prompts", "Search prompts", schemas.SearchIn, schemas.SearchOut, _search),
        Operation("get_prompt", "Get a prompt", schemas.GetIn, schemas.PromptOut, _get),
        Operation("list_versions", "List versions", schemas.VersionsIn, schemas.VersionPage, _versions),
        Operation("diff_versions", "Compare versions", schemas.DiffIn, schemas.DiffOut, _diff),
        Operation("render_prompt", "Fill in a prompt", schemas.RenderIn, schemas.RenderOut, _render),
        Operation(
            "add_evaluation",
            "Record an evaluation",
            schemas.EvaluationIn,
            schemas.EvaluationOut,
            _evaluate,
            "prompts.add_evaluation",
        ),
    )
}


def input_schema(name: str) -> Mapping[str, Any] | None:
    operation = OPERATIONS.get(name)
    return operation.tool.input_schema if operation else None
