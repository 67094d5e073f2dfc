"""What unfold asks for by name (``settings.UNFOLD``): marks, style sheet, menu."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control

_FAVICON = Path(__file__).parent.parent / "static" / "prompts" / "favicon.ico"

_BEAT = "django_celery_beat"
# Title, icon, permission, URL name.
_MENU = (
    ("Search", "search", "prompts.view_prompt", "search"),
    ("Prompts", "article", "prompts.view_prompt", "prompts_prompt_changelist"),
    ("Label policies", "verified", "prompts.view_labelpolicy", "prompts_labelpolicy_changelist"),
    ("Label moves", "history", "prompts.view_labelmove", "prompts_labelmove_changelist"),
    ("Evaluations", "grade", "prompts.view_evaluation", "prompts_evaluation_changelist"),
    ("Collections", "database", "vectors.view_collection", "vectors_collection_changelist"),
    ("Judgements", "thumbs_up_down", "vectors.view_judgement", "vectors_judgement_changelist"),
    ("Search quality", "query_stats", "vectors.view_evaluationrun", "vectors_evaluationrun_changelist"),
    ("Environments", "account_tree", "ops.view_environment", "ops_environment_changelist"),
    ("Webhooks", "webhook", "ops.view_webhook", "ops_webhook_changelist"),
    ("Jobs", "pending_actions", "ops.view_job", "ops_job_changelist"),
    ("Health", "monitor_heart", "ops.view_healthrecord", "ops_healthrecord_changelist"),
    ("Alerts", "notifications_active", "ops.view_alert", "ops_alert_changelist"),
    ("Alert rules", "rule", "ops.view_alertrule", "ops_alertrule_changelist"),
    ("Alert channels", "campaign", "ops.view_alertchannel", "ops_alertchannel_changelist"),
    ("Silences", "notifications_off", "ops.view_alertsilence", "ops_alertsilence_changelist"),
    ("Backups", "backup", "ops.view_backupdrill", "ops_backupdrill_changelist"),
    ("Schedules", "schedule", f"{_BEAT}.view_periodictask", f"{_BEAT}_periodictask_changelist"),
    ("Slow queries", "timer", "ops.view_slowquery", "ops_slowquery_changelist"),
    ("Audit log", "policy", "ops.view_auditentry", "ops_auditentry_changelist"),
    ("API keys", "key", "prompts.view_apikey", "prompts_apikey_changelist"),
    ("Locked logins", "lock", "prompts.view_loginlock", "prompts_loginlock_changelist"),
    ("Users", "person", "prompts.view_user", "prompts_user_changelist"),
    ("Groups", "group", "auth.view_group", "auth_group_changelist"),
)


@cache_control(max_age=86_400, public=True)
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for /favicon.ico whatever the page says."""
    return HttpResponse(_FAVICON.read_bytes(), content_type="image/x-icon")


def icon(request: HttpRequest) -> str:
    return static("prompts/afn.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("prompts/console.css")


def environment(request: HttpRequest) -> list[str] | None:
    """A badge where a change is a rehearsal."""
    return None if settings.ENVIRONMENT == "production" else [settings.ENVIRONMENT, "warning"]


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    items = []
    for title, symbol, permission, name in _MENU:
        link = reverse(f"admin:{name}")
        active = request.path.startswith(link)
        if name == "prompts_prompt_changelist":
            active = active or request.path.startswith(reverse("admin:prompts_promptversion_changelist"))
        if request.user.has_perm(permission):
            items.append({"title": title, "icon": symbol, "link": link, "active": active})
    home = {"title": "Dashboard", "icon": "home", "link": reverse("admin:index")}
    return [{"title": None, "items": [home, *items]}]
