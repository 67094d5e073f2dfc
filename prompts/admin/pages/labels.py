"""The labels of a prompt: which version each serves, what a move would need, moving, and the log."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from ... import labels
from ...errors import EvidenceMissing, NotThere, RegistryProblem
from ...gates import Verdict, weigh
from ...label_states import PRODUCTION, LabelState, known_labels, last_undoable, states_of
from ...labels import MOVE_PROTECTED
from ...models import LabelMove, LabelPolicy, Prompt, PromptLabel, PromptVersion, User
from ...ownership import may_change
from ..differences import number_of
from .base import render

MAY_MOVE = "prompts.change_promptlabel"
_MOVES = 20  # of a page
_VERSIONS = 200  # to choose from, the newest


def show(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    if request.method == "POST":
        return _act(model_admin, request, prompt)
    asked = {name: request.GET.get(name, "").strip() for name in ("label", "version")}
    if request.headers.get("HX-Request"):
        return TemplateResponse(
            request,
            "admin/prompts/prompt/verdict.html",
            {"prompt": prompt, **_verdict(request, prompt, **asked)},
        )
    return _page(model_admin, request, prompt, asked)


def _page(
    model_admin: ModelAdmin,
    request: HttpRequest,
    prompt: Prompt,
    asked: dict[str, str],
    **context: Any,
) -> HttpResponse:
    states = states_of(prompt)
    asked = _proposed(prompt, states, asked)
    versions = prompt.versions.kept().only("version", "message", "prompt").order_by("-version")
    context = {
        "states": states,
        "may_move": may_move(request, prompt),
        "may_move_protected": request.user.has_perm(MOVE_PROTECTED),
        "versions": versions[:_VERSIONS],
        "names": known_labels(states),
        "asked": asked,
        **_verdict(request, prompt, asked["label"], asked["version"]),
        **_log(request, prompt),
        **context,
    }
    return render(model_admin, request, prompt, "labels", context)


def _proposed(prompt: Prompt, states: list[LabelState], asked: dict[str, str]) -> dict[str, str]:
    """What somebody most likely wants: production at the newest version, unless that is so already."""
    label = asked["label"] or PRODUCTION
    if asked["version"]:
        return {**asked, "label": label}
    serves = next((one.version.version for one in states if one.name == label and one.version), None)
    return asked if serves == prompt.version else {"label": label, "version": str(prompt.version)}


def may_move(request: HttpRequest, prompt: Prompt) -> bool:
    """As in the API: with the permission, the owner, or who may change what belongs to others."""
    return request.user.has_perm(MAY_MOVE) and may_change(_actor(request), prompt)


def _verdict(request: HttpRequest, prompt: Prompt, label: str, version: str) -> dict[str, Any]:
    """What the gate says of this label and version, or nothing where one of them is not chosen yet."""
    if not label or not version:
        return {}
    try:
        labels.check_label(label)
        found = _version(prompt, version)
    except RegistryProblem as problem:
        return {"wrong": problem.sentence}
    policy = LabelPolicy.objects.filter(name=label).first()
    is_known = policy is not None or label == PRODUCTION or PromptLabel.objects.filter(name=label).exists()
    is_protected = bool(policy and policy.is_protected and not request.user.has_perm(MOVE_PROTECTED))
    return {
        "label": label,
        "version": found,
        "policy": policy,
        "verdict": weigh(prompt, label, found) if policy else Verdict(True, "none", "", None),
        "is_protected": is_protected,
        "is_new": not is_known,
        "near": "" if is_known else _near(prompt, label),
        "serves_it": prompt.labels.filter(name=label, version=found.pk).exists(),
    }


def _near(prompt: Prompt, label: str) -> str:
    """What somebody may have meant who typed a label that is new."""
    names = {PRODUCTION, *prompt.labels.values_list("name", flat=True)}
    return next(iter(get_close_matches(label, names, 1, 0.8)), "")


def _version(prompt: Prompt, number: str) -> PromptVersion:
    found = prompt.versions.kept().filter(version=number_of(number, 0)).first()
    if found is None:
        raise NotThere("version", f"a version of {prompt.name}", repr(number[:40]))
    return found


def _log(request: HttpRequest, prompt: Prompt) -> dict[str, Any]:
    """A page of the log, below the move with the id ``before``, of the label ``of`` or of all."""
    of, before = request.GET.get("of", ""), request.GET.get("before", "")
    moves = LabelMove.objects.filter(prompt=prompt.pk).prefetch_related("undone_by").order_by("-id")
    if of:
        moves = moves.filter(label=of[:100])
    if before.isascii() and before.isdigit() and len(before) < 19:
        moves = moves.filter(pk__lt=int(before))
    found = list(moves[: _MOVES + 1])
    more = found[_MOVES - 1].pk if len(found) > _MOVES else None
    return {"moves": found[:_MOVES], "more": more, "of": of, "is_older": bool(before)}


def _act(model_admin: ModelAdmin, request: HttpRequest, prompt: Prompt) -> HttpResponse:
    if not may_move(request, prompt):
        raise PermissionDenied
    label, reason = request.POST.get("label", "").strip(), request.POST.get("reason", "").strip()
    act = {"move": _move, "remove": _remove, "undo": _undo}.get(request.POST.get("action", ""))
    try:
        if act is None:
            raise RegistryProblem("action", "move, remove or undo", repr(request.POST.get("action"))[:40])
        with transaction.atomic():
            told = act(request, prompt, label, reason)
    except EvidenceMissing as missing:
        # Shown with its figures, and with all that was typed.
        asked = {"label": label, "version": request.POST.get("version", "")}
        return _page(model_admin, request, prompt, asked, refused=missing.sentence, reason=reason)
    except RegistryProblem as problem:
        messages.error(request, problem.sentence)
    else:
        messages.success(request, told)
    return HttpResponseRedirect(reverse("admin:prompts_prompt_labels", args=[prompt.pk]))


def _move(request: HttpRequest, prompt: Prompt, label: str, reason: str) -> str:
    number = _version(prompt, request.POST.get("version", "")).version
    moved = labels.move_label(prompt, label, number, actor=_actor(request), reason=reason)
    shown = {"label": label, "version": number}
    if moved.move is None:
        return _("%(label)s serves version %(version)s already.") % shown
    return _("%(label)s serves version %(version)s now.") % shown


def _remove(request: HttpRequest, prompt: Prompt, label: str, reason: str) -> str:
    state = next((one for one in states_of(prompt) if one.name == label and one.version), None)
    if state and state.needs_its_name and request.POST.get("name", "").strip() != label:
        raise RegistryProblem("name", f"the label's name, {label}", repr(request.POST.get("name", "")[:40]))
    labels.remove_label(prompt, label, actor=_actor(request), reason=reason)
    told = _("%(label)s was taken off: applications that ask for it get an error.")
    return told % {"label": label}


def _undo(request: HttpRequest, prompt: Prompt, label: str, reason: str) -> str:
    """Only of the move that the page showed: who clicks twice, or too late, takes back no other one."""
    last = last_undoable(prompt, label)
    if last is None or str(last.pk) != request.POST.get("move", ""):
        raise RegistryProblem(
            "move", "the last move of the label", "an older one", "Somebody moved it meanwhile: look again."
        )
    moved = labels.undo(prompt, label, actor=_actor(request), reason=reason)
    if moved.version is None:
        told = _(
            "Taken back: %(label)s serves nothing, as before. Applications that ask for it get an error."
        )
        return told % {"label": label}
    shown = {"label": label, "version": moved.version}
    return _("Taken back: %(label)s serves version %(version)s again.") % shown


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)  # only known users get here
