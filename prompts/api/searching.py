"""Search over prompts."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from ..search import search_prompts
from . import search_schemas

router = Router(tags=["search"])


@router.get("/search", response={200: search_schemas.PromptSearchOut})
def search(request: HttpRequest, query: Query[search_schemas.PromptSearchQuery]) -> dict[str, Any]:
    """Find prompts by meaning and by words, in English and in Japanese."""
    return search_prompts(
        query.q,
        k=query.k,
        mode=query.mode,
        status=query.status,
        tag=query.tag,
        language=query.language,
        folder=query.folder,
    ).as_json()
