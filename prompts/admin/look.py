"""What unfold asks for by name (``settings.UNFOLD``): marks, style sheet, menu."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control

_FAVICON = "afn/favicon.ico"

_BEAT = "django_celery_beat"
_Entry = tuple[Any, str, str, str]  # title, icon, permission, URL name
_MENU: tuple[tuple[Any, tuple[_Entry, ...]], ...] = (
    (
        None,
        (
            (_("Search"), "search", "prompts.view_prompt", "search"),
            (_("Prompts"), "article", "prompts.view_prompt", "prompts_prompt_changelist"),
            (_("Evaluations"), "grade", "prompts.view_evaluationrun", "prompts_evaluationrun_changelist"),
        ),
    ),
    (
        _("Labels"),
        (
            (_("Label policies"), "verified", "prompts.view_labelpolicy", "prompts_labelpolicy_changelist"),
            (_("Label moves"), "history", "prompts.view_labelmove", "prompts_labelmove_changelist"),
        ),
    ),
    (
        _("Vectors"),
        (
            (_("Collections"), "database", "vectors.view_collection", "vectors_collection_changelist"),
            (_("Judgements"), "thumbs_up_down", "vectors.view_judgement", "vectors_judgement_changelist"),
            (
                _("Search quality"),
                "query_stats",
                "vectors.view_evaluationrun",
                "vectors_evaluationrun_changelist",
            ),
        ),
    ),
    (
        _("Operations"),
        (
            (_("Health"), "monitor_heart", "ops.view_healthrecord", "ops_healthrecord_changelist"),
            (_("Redis"), "memory", "ops.view_healthrecord", "ops_redis"),
            (_("Jobs"), "pending_actions", "ops.view_job", "ops_job_changelist"),
            (_("Schedules"), "schedule", f"{_BEAT}.view_periodictask", f"{_BEAT}_periodictask_changelist"),
            (_("Backups"), "backup", "ops.view_backupdrill", "ops_backupdrill_changelist"),
            (_("Environments"), "account_tree", "ops.view_environment", "ops_environment_changelist"),
            (_("Slow queries"), "timer", "ops.view_slowquery", "ops_slowquery_changelist"),
        ),
    ),
    (
        _("Alerts"),
        (
            (_("Alerts"), "notifications_active", "ops.view_alert", "ops_alert_changelist"),
            (_("Alert rules"), "rule", "ops.view_alertrule", "ops_alertrule_changelist"),
            (_("Alert channels"), "campaign", "ops.view_alertchannel", "ops_alertchannel_changelist"),
            (_("Silences"), "notifications_off", "ops.view_alertsilence", "ops_alertsilence_changelist"),
            (_("Webhooks"), "webhook", "ops.view_webhook", "ops_webhook_changelist"),
        ),
    ),
    (
        _("Access"),
        (
            (_("API keys"), "key", "prompts.view_apikey", "prompts_apikey_changelist"),
            (_("Users"), "person", "prompts.view_user", "prompts_user_changelist"),
            (_("Groups"), "group", "auth.view_group", "auth_group_changelist"),
            (_("Locked logins"), "lock", "prompts.view_loginlock", "prompts_loginlock_changelist"),
            (_("Audit log"), "policy", "ops.view_auditentry", "ops_auditentry_changelist"),
        ),
    ),
)
# Pages that have no entry of their own, below one that has.
_WITHIN = {
    "prompts_prompt_changelist": ("prompts_promptversion_changelist",),
    "prompts_evaluationrun_changelist": ("prompts_dataset_changelist", "prompts_evaluation_changelist"),
}


@cache_control(max_age=86_400, public=True)
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for /favicon.ico whatever the page says."""
    return HttpResponse(_favicon(), content_type="image/x-icon")


def _favicon() -> bytes:
    if (path := finders.find(_FAVICON)) is None:
        raise FileNotFoundError(_FAVICON)
    return Path(path).read_bytes()


def icon(request: HttpRequest) -> str:
    return static("afn/afn.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("afn/console.css")


def environment(request: HttpRequest) -> list[str] | None:
    """A badge where a change is a rehearsal."""
    return None if settings.ENVIRONMENT == "production" else [settings.ENVIRONMENT, "warning"]


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of what the reader may see."""
    groups = []
    for title, entries in _MENU:
        items = [_item(request, *entry) for entry in entries if request.user.has_perm(entry[2])]
        if title is None:
            items.insert(0, {"title": _("Home"), "icon": "home", "link": reverse("admin:index")})
            items.append(_link(request, _("Tour"), "explore", "tour"))
        if items:
            groups.append({"title": title, "items": items, "separator": title is not None})
    return groups


def _item(request: HttpRequest, title: Any, symbol: str, permission: str, name: str) -> dict[str, Any]:
    return _link(request, title, symbol, name)


def _link(request: HttpRequest, title: Any, symbol: str, name: str) -> dict[str, Any]:
    links = [reverse(f"admin:{one}") for one in (name, *_WITHIN.get(name, ()))]
    active = any(request.path.startswith(link) for link in links)
    return {"title": title, "icon": symbol, "link": links[0], "active": active}
