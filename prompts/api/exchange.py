"""Export and import of the registry as lines of JSON, a prompt with its history each."""

import json
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, Any, Final, Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError

from vectors.bodies import InvalidBody, check_whole
from vectors.errors import EmbedderError
from vectors.permissions import needs

from ..errors import Protected
from ..exchange.exporting import export_lines
from ..exchange.import_files import read_open_lines
from ..exchange.importing import import_items
from ..exchange.problems import ImportFileError
from ..exchange.registry import Selection
from ..exchange.rights import missing_right
from ..ownership import CHANGE_OTHERS
from .lookup import actor
from .values import LabelFilter, NameFilter, TagFilter

router = Router(tags=["exchange"])
JSON_LINES: Final = "application/x-ndjson"
MAX_BODY: Final = 1_000_000_000
_PART: Final = 65_536
_SHOWN: Final = 100
_LINES = {
    "schema": {
        "type": "string",
        "x-max-bytes": MAX_BODY,
        "example": '{"name": "greeting", "versions": [{"number": 1, "content": "Hi"}]}\n',
    }
}


class RegistryExportQuery(Schema):
    format: Literal["jsonl"] = "jsonl"
    folder: NameFilter = Field("", description="Only prompts in this folder or below it.")
    tag: TagFilter = Field("", description="Only prompts with this tag.")
    label: LabelFilter = Field(
        "", description="Only prompts with this label; without history the version it serves."
    )
    history: bool = Field(True, description="All versions, not the newest alone, and what is in the trash.")


class RegistryImportQuery(Schema):
    strict: bool = Field(False, description="Write nothing if a line is refused.")
    dry_run: bool = Field(False, description="Only say what would be done.")


class RegistryRefusal(Schema):
    line: int
    field: str
    expected: str
    got: str


class RegistryImportOut(Schema):
    created: int
    updated: int
    unchanged: int
    refused: int = Field(description="Lines that were left out.")
    problems: list[RegistryRefusal] = Field(description="Why, for the first 100 of them.")
    notes: list[str]


@router.get(
    "/export",
    response={200: None},
    openapi_extra={"responses": {200: {"description": "Lines of JSON", "content": {JSON_LINES: _LINES}}}},
)
def export_registry(request: HttpRequest, query: Query[RegistryExportQuery]) -> StreamingHttpResponse:
    """Prompts with their histories as lines of JSON, as an import takes them. E-mail addresses of authors are
    for those who may view users.
    """
    selection = Selection(query.folder, query.tag, query.label, query.history)
    with_emails = request.user.has_perm("prompts.view_user")
    return StreamingHttpResponse(
        _told_where_broken(export_lines(selection, with_emails=with_emails)),
        content_type=JSON_LINES,
        headers={"Content-Disposition": 'attachment; filename="prompts.jsonl"', "X-Accel-Buffering": "no"},
    )


@router.post(
    "/import",
    response={200: RegistryImportOut},
    openapi_extra={"requestBody": {"required": True, "content": {JSON_LINES: _LINES}}},
)
@needs(CHANGE_OTHERS)
def import_registry(request: HttpRequest, query: Query[RegistryImportQuery]) -> dict[str, Any]:
    """Create prompts, and give those that are there the versions and evaluations that they lack.

    A line whose history is another than the one that is there is refused, with nothing of it written. To
    send everything again changes nothing. It takes the permissions to change the prompts of others, to add
    evaluations and to move protected labels.
    """
    if missing := missing_right(actor(request)):
        raise Protected("body", f"the permission {missing} to import histories", "an account without it")
    if (request.content_type or "").startswith("multipart/"):
        raise HttpError(415, f"Send the lines themselves, not a form: Content-Type: {JSON_LINES}.")
    with TemporaryFile() as file:
        _receive(request, file)
        try:
            result = import_items(
                lambda: read_open_lines(file, "body"),
                actor(request),
                source="API",
                strict=query.strict,
                dry_run=query.dry_run,
            )
        except ImportFileError as error:
            raise HttpError(422, str(error)) from error
        except EmbedderError as error:
            raise HttpError(503, f"The prompts are saved, but cannot be searched yet: {error}") from error
    return {
        "created": result.created,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "refused": len(result.failed),
        "problems": result.failed[:_SHOWN],
        "notes": result.notes[:_SHOWN],
    }


def _receive(request: HttpRequest, file: IO[bytes]) -> None:
    """The whole body comes first: half of one is not imported, and no transaction waits for a slow sender."""
    received = 0
    while part := request.read(_PART):
        received += len(part)
        if received > MAX_BODY:
            raise InvalidBody("body", f"at most {MAX_BODY:,} bytes", "more")
        file.write(part)
    check_whole(request, received)


def _told_where_broken(lines: Iterator[str]) -> Iterator[str]:
    """A server may close an answer that an error ended as if it were whole: the last line is no prompt."""
    try:
        yield from lines
    except Exception:
        yield (
            json.dumps({"detail": "The export broke off here, prompts are missing. Ask for it again."}) + "\n"
        )
        raise
