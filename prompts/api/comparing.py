"""What changed between versions, which version brought which line, and who includes whom."""

from typing import Any

from django.http import HttpRequest
from ninja import Path, Query, Router

from vectors.schemas import Paging

from .. import blame as blaming
from ..dependants import find_dependants
from ..diffs import compare
from ..errors import RegistryProblem
from ..payload_changes import list_changes
from ..serving import reading
from ..unified_diff import count_changes, unified
from . import schemas, version_schemas
from .lookup import Ref, find_prompt, find_version, page_of

router = Router(tags=["prompts"])


@router.get("/prompts/{path:ref}/diff", response={200: version_schemas.DiffOut}, by_alias=True)
def diff_versions(
    request: HttpRequest, ref: Path[Ref], query: Query[version_schemas.DiffQuery]
) -> dict[str, Any]:
    """What changed between two versions: a unified diff, of chats one of their transcripts, the changes of
    config and variables, and with `words=true` the rows with the words that changed in them.
    """
    prompt = find_prompt(ref)
    old, new = find_version(prompt, query.from_), find_version(prompt, query.to)
    found = compare(old.text_of(prompt.type), new.text_of(prompt.type))
    if query.words and len(found.rows) > blaming.MAX_LINES:
        wanted = f"versions of at most {blaming.MAX_LINES:,} lines in all"
        raise RegistryProblem("words", wanted, f"{len(found.rows):,}", "Without words there is no limit.")
    added, removed = count_changes(found.rows)
    return {
        "from": old.version,
        "to": new.version,
        "added": added,
        "removed": removed,
        "complete": found.is_complete,
        "unified": unified(found.rows, f"v{old.version}", f"v{new.version}"),
        "changes": list_changes(old.payload, new.payload),
        "rows": found.rows if query.words else None,
    }


@router.get(
    "/prompts/{path:ref}/blame",
    summary="Blame Lines",
    response={200: version_schemas.BlameOut},
)
def blame(request: HttpRequest, ref: Path[Ref], query: Query[version_schemas.BlameQuery]) -> Any:
    """Which version brought each line, by whom and why; of chats the lines of the transcript."""
    prompt = find_prompt(ref)
    return blaming.blame(prompt, query.version or prompt.version)


@router.get("/prompts/{path:ref}/dependants", response={200: version_schemas.DependantPage})
def list_dependants(request: HttpRequest, ref: Path[Ref], paging: Query[Paging]) -> dict[str, Any]:
    """Versions of other prompts that include this one, by name, the newest first: what a change of it
    changes, too.
    """
    return page_of([one.as_json() for one in find_dependants(find_prompt(ref).name)], paging)


@router.get("/prompts/{path:ref}/graph", response={200: version_schemas.GraphOut})
def get_graph(request: HttpRequest, ref: Path[Ref], query: Query[schemas.Which]) -> dict[str, Any]:
    """What a version includes, in all levels."""
    served = reading.read(ref, version=query.version, label=query.label or "", at=query.at)
    return {"graph": served.compose().graph}
