"""Outputs of a run without a model, pasted in on its page, and judged as those that the API takes."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vectors.admin.display import count

from ..errors import NotThere, RegistryProblem
from ..evaluating import runs
from ..models import DatasetItem, EvaluationRun
from ..validators import validate_text
from .items import ShownItem, shown

SEND: Final = "prompts.change_evaluationrun"  # as POST /api/v1/runs/ID/results asks for
ITEMS: Final = 25  # a page


@dataclass(slots=True)
class OpenItem:
    """An item that waits for its output, with what was typed and what is wrong with that."""

    key: str
    item: ShownItem | None
    output: str = ""
    problem: str = ""


def waiting(request: HttpRequest, run: EvaluationRun) -> dict[str, Any]:
    """The next open items of a run, for those who may send outputs in."""
    may_send = not run.model and not run.is_over and request.user.has_perm(SEND)
    if not may_send:
        return {"may_send": False}
    after = request.GET.get("after", "")[:255]
    rows = runs.open_items(run)
    if after:
        rows = rows.filter(key__gt=after)
    found = list(rows[: ITEMS + 1])
    return {
        "may_send": True,
        "open_items": [OpenItem(item.key, shown(item)) for item in found[:ITEMS]],
        "open_after": found[ITEMS - 1].key if len(found) > ITEMS else "",
        "after": after,
    }


def send(request: HttpRequest, run: EvaluationRun) -> list[OpenItem]:
    """Store what is filled in, all or none; where that is refused, all that was typed, with reasons."""
    keys, outputs = request.POST.getlist("item"), request.POST.getlist("output")
    if len(keys) != len(outputs) or len(keys) > runs.MAX_RESULTS:
        raise BadRequest("Expected an output for each item.")
    typed = {key: output.replace("\r\n", "\n") for key, output in zip(keys, outputs, strict=True)}
    filled = {key: output for key, output in typed.items() if output.strip()}
    if not filled:
        messages.warning(request, _("Nothing was stored: no output was filled in."))
        return []
    problems = {key: text for key, output in filled.items() if (text := _problem(output))}
    if not problems:
        try:
            added = runs.add_results(run, [runs.Result(key, output) for key, output in filled.items()])
        except NotThere as problem:
            at = int(problem.field.partition("[")[2].partition("]")[0])
            problems[list(filled)[at]] = problem.sentence
        except RegistryProblem as problem:
            messages.error(request, problem.sentence)
            return _kept(run, typed, {})
        except IntegrityError:
            messages.error(
                request, _("Nothing was stored: somebody else sent outputs meanwhile. Send again.")
            )
            return _kept(run, typed, {})
        else:
            _tell(request, run, added, len(filled) - added)
            return []
    messages.error(request, _("Nothing was stored: look at the outputs that are marked."))
    return _kept(run, typed, problems)


def _problem(output: str) -> str:
    if len(output) > runs.MAX_OUTPUT:
        text = _("Expected at most %(most)s characters, got %(size)s.")
        return text % {"most": count(runs.MAX_OUTPUT), "size": count(len(output))}
    try:
        validate_text(output)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


def _kept(run: EvaluationRun, typed: dict[str, str], problems: dict[str, str]) -> list[OpenItem]:
    known = {item.key: item for item in DatasetItem.objects.filter(dataset=run.dataset_id, key__in=[*typed])}
    return [
        OpenItem(key, shown(known.get(key)), output, problems.get(key, "")) for key, output in typed.items()
    ]


def _tell(request: HttpRequest, run: EvaluationRun, added: int, left: int) -> None:
    run.refresh_from_db(fields=["status"])
    text = ngettext("%(number)s output was stored.", "%(number)s outputs were stored.", added)
    told = text % {"number": count(added)}
    if left and run.status != "failed":  # else its page says why it ended
        text = ngettext(
            "%(number)s was left alone: its item had one already.",
            "%(number)s were left alone: their items had one already.",
            left,
        )
        messages.warning(request, f"{told} {text % {'number': count(left)}}")
    else:
        messages.success(request, told)
