"""Scores: send, read back, take back."""

from typing import Any, cast

from django.http import HttpRequest
from ninja import Body, Path, Query, Router
from ninja.errors import HttpError
from ninja.responses import Status as Answer

from vectors.permissions import needs

from ..errors import NotThere
from ..models import TraceScore, User
from ..ownership import check_scorer
from . import ingestion, score_schemas, scores
from .queries import refuse_unknown

router = Router(tags=["scores"])


@router.post(
    "/scores",
    response={
        200: score_schemas.ScoreIdOut,
        202: score_schemas.AcceptedOut,
        207: score_schemas.ResultsOut,
    },
)
@needs("prompts.add_tracescore")
def create_scores(request: HttpRequest, payload: Body[score_schemas.ScoresIn]) -> Answer[dict[str, Any]]:
    """One score, or a list of them. A score of an id that is there replaces it."""
    if isinstance(payload, dict):
        (result,) = scores.keep([payload], user=_user(request))
        if result.problem:
            raise HttpError(400, result.problem)
        return Answer(200, {"id": result.id})
    results = scores.keep(payload, user=_user(request))
    errors = [{"message": f"[{at}] {one.problem}"} for at, one in enumerate(results) if one.problem]
    accepted = len(results) - len(errors)
    if errors:
        return Answer(207, {"accepted": accepted, "rejected": len(errors), "errors": errors})
    # Without errors: clients take whatever has them for a refusal.
    return Answer(202, {"message": "Accepted", "accepted": accepted, "rejected": 0})


@router.get("/scores", response={200: score_schemas.ScoreListOut})
def list_scores(request: HttpRequest, query: Query[score_schemas.ScoresQuery]) -> dict[str, Any]:
    """Scores, the newest first, with the values that were sent."""
    refuse_unknown(request, score_schemas.ScoresQuery)
    return scores.page(query, is_mixed=True)


@router.get("/v2/scores", response={200: score_schemas.ScoreListOut})
def list_scores_v2(request: HttpRequest, query: Query[score_schemas.ScoresQuery]) -> dict[str, Any]:
    """The same, as clients of version 4 read it: a text is in `stringValue`, and its `value` is 0."""
    refuse_unknown(request, score_schemas.ScoresQuery)
    return scores.page(query, is_mixed=False)


@router.get("/v3/scores", response={200: score_schemas.ScoreListV3Out}, exclude_none=True)
def list_scores_v3(request: HttpRequest, query: Query[score_schemas.ScoresV3Query]) -> dict[str, Any]:
    """The same, as clients of version 5 read it: with a cursor, and the parts named in `fields`."""
    refuse_unknown(request, score_schemas.ScoresV3Query)
    return scores.page_v3(query)


@router.get("/v2/scores/{path:id}", response={200: score_schemas.ScoreOut})
def get_score(request: HttpRequest, id: Path[score_schemas.Id]) -> dict[str, Any]:
    """One score."""
    return scores.as_json(_find(id), is_mixed=False)


@router.delete("/scores/{path:id}", response={202: score_schemas.MessageOut})
@needs("prompts.delete_tracescore")
def delete_score(request: HttpRequest, id: Path[score_schemas.Id]) -> Answer[dict[str, str]]:
    """Take a score back."""
    score = _find(id)
    check_scorer(_user(request), score)
    score.delete()
    return Answer(202, {"message": "The score was deleted."})


@router.post("/ingestion", response={207: score_schemas.IngestedOut})
@needs("prompts.add_tracescore")
def ingest(request: HttpRequest, payload: Body[score_schemas.BatchIn]) -> Answer[dict[str, Any]]:
    """A batch of events. Those of the type `score-create` are kept, all others counted and dropped."""
    return Answer(207, ingestion.ingest(payload.get("batch"), user=_user(request)))


def _find(key: str) -> TraceScore:
    score = TraceScore.objects.filter(pk=key).first()
    if score is None:
        raise NotThere("id", "the id of a score", repr(key[:80]))
    return score


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)  # nobody else gets past the key
