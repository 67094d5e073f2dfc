"""What to do first, for whoever is new here: a short list on the first page, until it is done or put away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from django.conf import settings
from django.db.models import Exists, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ops.backups.models import BackupDrill
from prompts.exchange.rights import missing_right
from prompts.indexing import COLLECTION
from prompts.label_states import PRODUCTION
from prompts.models import ApiKey, Evaluation, Prompt, PromptLabel, User
from vectors.relevance.models import Judgement

COOKIE: Final = "afn_first_steps"
_SAMPLES: Final = "samples"  # the source of what `seed_data` imports
_YEAR: Final = 365 * 24 * 3_600


@dataclass(frozen=True, slots=True)
class Step:
    """`url_name` is of the page where it is done, for who has the permissions."""

    name: str
    title: Any
    text: Any
    url_name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    step: Step
    url: str
    is_done: bool
    is_next: bool


STEPS: Final = (
    Step(
        "prompt",
        _("Write or import a prompt of your own"),
        _("It is kept with all its versions, under a name with folders, such as writing/resume."),
        "prompts_prompt_add",
        ("prompts.add_prompt",),
    ),
    Step(
        "search",
        _("Find it by meaning"),
        _("Search in your own words, and say at a result whether it is good."),
        "search",
        ("prompts.view_prompt", "vectors.add_judgement"),
    ),
    Step(
        "label",
        _("Give a version the label production"),
        _("Applications ask for a label, so you decide which version they get, and take it back in a click."),
        "prompts_prompt_changelist",
        ("prompts.view_prompt", "prompts.change_promptlabel"),
    ),
    Step(
        "key",
        _("Make an API key"),
        _("An application calls AFN with it. Give each application one of its own."),
        "prompts_apikey_add",
        ("prompts.add_apikey",),
    ),
    Step(
        "evaluation",
        _("Evaluate a version"),
        _("Try it on a dataset, or add a score by hand: then versions can be compared by figures."),
        "prompts_evaluationrun_changelist",
        ("prompts.view_evaluationrun", "prompts.add_evaluation"),
    ),
    Step(
        "backup",
        _("Make a backup and prove it"),
        _("A backup that was restored for a try is one that you can rely on."),
        "ops_backupdrill_changelist",
        ("ops.view_backupdrill", "ops.change_job"),
    ),
)


def first_steps(request: HttpRequest) -> dict[str, Any]:
    """The context of ``admin/home/first_steps.html``, in one query; nothing where there is nothing to do."""
    user = cast(User, request.user)
    steps = [step for step in STEPS if user.has_perms(step.permissions)]
    if not steps or not user.has_perm("prompts.view_prompt"):
        return {}
    found = _look(user)
    is_empty = not found["any"]
    if not is_empty and (is_put_away(request) or all(found[step.name] for step in steps)):
        return {}
    upcoming = next((step for step in steps if not found[step.name]), None)
    return {
        "first_steps": [
            Shown(step, _url(step, found["own"]), found[step.name], step is upcoming) for step in steps
        ],
        "steps_done": sum(found[step.name] for step in steps),
        "is_empty": is_empty,
        "may_import": not missing_right(user),
        "offers_samples": settings.ENVIRONMENT == "development",
    }


def _look(user: User) -> dict[str, Any]:
    """Which steps are done, whether there is any prompt, and the id of one's own prompt, if there is one."""
    own = Prompt.objects.exclude(source=_SAMPLES).order_by()
    keys = ApiKey.objects.all() if user.has_perm("prompts.manage_others_keys") else user.api_keys.all()
    done: dict[str, QuerySet[Any]] = {
        "any": Prompt.objects.order_by(),
        "prompt": own,
        "search": Judgement.objects.filter(collection__name=COLLECTION),
        "label": PromptLabel.objects.filter(name=PRODUCTION),
        "key": keys,
        "evaluation": Evaluation.objects.all(),
        "backup": BackupDrill.objects.filter(ok=True),
    }
    looked = User.objects.filter(pk=user.pk).values(
        own=Subquery(own.values("pk")[:1]), **{name: Exists(rows.order_by()) for name, rows in done.items()}
    )
    return cast(dict[str, Any], looked.get())


def _url(step: Step, own: str | None) -> str:
    if step.name == "label" and own:
        return reverse("admin:prompts_prompt_labels", args=[own])
    return reverse(f"admin:{step.url_name}")


def is_put_away(request: HttpRequest) -> bool:
    """By this person, in this browser."""
    return request.COOKIES.get(COOKIE) == str(request.user.pk)


def put_away(request: HttpRequest) -> HttpResponse:
    """Of a POST: hide the list, or with ``show`` have it back."""
    response = HttpResponseRedirect(reverse("admin:index"))
    if "show" in request.POST:
        response.delete_cookie(COOKIE, path=reverse("admin:index"), samesite="Lax")
        return response
    response.set_cookie(
        COOKIE,
        str(request.user.pk),
        max_age=_YEAR,
        path=reverse("admin:index"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
