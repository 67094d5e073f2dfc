"""What each kind of person may do with what the console shows: one row a model, one a page beside those.

Letters: (v)iew, (a)dd, (c)hange, (d)elete. A model or page without a row fails the tests.
"""

from dataclasses import dataclass

PEOPLE = ("reader", "editor", "editor on another's", "admin", "superuser")
LOGIN, PAGE, REDIRECT, DENIED, NOT_ALLOWED, NOTHING = 302, 200, 302, 403, 405, 404


@dataclass(frozen=True)
class Rights:
    reader: str = ""
    editor: str = ""
    others: str = ""  # of an editor, where the object is another's
    admin: str = ""
    superuser: str = "vacd"
    object: str = ""  # of `World.own`; none: there is no such object
    hidden_from: tuple[str, ...] = ()  # for whom the object is not there

    def of(self, who: str) -> str:
        return str(getattr(self, "others" if who.endswith("another's") else who))


MODELS = {
    "prompts_prompt": Rights("v", "vacd", "va", "vacd", object="prompt"),
    "prompts_promptversion": Rights("v", "v", "v", "v", "v", object="version"),
    "prompts_labelmove": Rights("v", "v", "v", "v", "v"),
    "prompts_labelpolicy": Rights("v", "v", "v", "vacd", object="policy"),
    "prompts_evaluation": Rights("v", "va", "va", "vad", "vad", object="evaluation"),
    "prompts_evaluationrun": Rights("v", "va", "va", "va", "va", object="run"),
    "prompts_dataset": Rights("v", "va", "va", "va", "va", object="dataset"),
    # Everybody sees his own alone; superusers see all.
    "prompts_apikey": Rights(
        "vac", "vac", "vac", "vacd", object="key", hidden_from=("reader", "editor on another's", "admin")
    ),
    "prompts_loginlock": Rights(admin="vd", superuser="vd"),
    "prompts_user": Rights(admin="v", object="user"),
    "auth_group": Rights(object="group"),
    "vectors_collection": Rights("v", "v", "v", "vcd", "vcd", object="collection"),
    "vectors_judgement": Rights("v", "v", "v", "vd", "vd", object="judgement"),
    "vectors_evaluationrun": Rights("v", "v", "v", "vd", "vd"),
    "ops_webhook": Rights(admin="vacd"),
    "ops_delivery": Rights(admin="v", superuser="v"),
    "ops_alert": Rights(admin="v", superuser="v"),
    "ops_alertrule": Rights(admin="vacd"),
    "ops_alertsilence": Rights(admin="vacd"),
    "ops_alertchannel": Rights(admin="vacd"),
    "ops_alertnotification": Rights(admin="v", superuser="v"),
    "ops_auditentry": Rights(admin="v", superuser="v"),
    "ops_backupdrill": Rights(admin="v", superuser="v"),
    "ops_slowquery": Rights(admin="v", superuser="v", object="slow_query"),
    "ops_healthrecord": Rights(admin="v", superuser="v"),
    "ops_job": Rights(admin="v", superuser="v", object="job"),
    "django_celery_beat_periodictask": Rights(object="schedule"),
    "django_celery_beat_crontabschedule": Rights(),
    "django_celery_beat_intervalschedule": Rights(),
}
# By name: the statuses of GET and POST for whoever is logged in, and the people who are denied.
PAGES: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "prompts_prompt_preview": (NOT_ALLOWED, PAGE, ()),
    "prompts_prompt_includes": (PAGE, PAGE, ()),
    "index": (PAGE, PAGE, ()),
    "search": (PAGE, PAGE, ()),
    "tour": (PAGE, NOT_ALLOWED, ()),
    "first_steps": (NOT_ALLOWED, REDIRECT, ()),
    "prompts_prompt_export_page": (PAGE, PAGE, ()),
    "prompts_prompt_trash_page": (REDIRECT, REDIRECT, ()),
    # Of a POST without a file.
    "prompts_prompt_import_page": (PAGE, 400, ("reader", "editor", "editor on another's")),
    "logout": (NOT_ALLOWED, PAGE, ()),
    "password_change": (PAGE, PAGE, ()),
    "password_change_done": (PAGE, NOT_ALLOWED, ()),
    "jsi18n": (PAGE, NOT_ALLOWED, ()),
    "prompts_evaluationrun_running": (PAGE, PAGE, ()),
    "prompts_evaluationrun_compare": (NOTHING, NOTHING, ()),  # no two are named
    # Their forms change environments, which is for superusers alone; an empty one names no action.
    "ops_environment_changelist": (PAGE, DENIED, ("reader", "editor", "editor on another's")),
    "ops_environment_compare": (PAGE, DENIED, ("reader", "editor", "editor on another's")),
    "ops_healthrecord_live": (PAGE, NOT_ALLOWED, ("reader", "editor", "editor on another's")),
    "ops_redis": (PAGE, NOT_ALLOWED, ("reader", "editor", "editor on another's")),
    "ops_redis_live": (PAGE, NOT_ALLOWED, ("reader", "editor", "editor on another's")),
    "ops_job_live": (PAGE, NOT_ALLOWED, ("reader", "editor", "editor on another's")),
    "ops_job_start": (PAGE, NOT_ALLOWED, ("reader", "editor", "editor on another's")),
    "ops_backupdrill_live": (PAGE, NOT_ALLOWED, ("reader", "editor", "editor on another's")),
    "ops_backupdrill_drills": (PAGE, PAGE, ("reader", "editor", "editor on another's")),
}


def expected(name: str, action: str, method: str, who: str) -> int:
    """The status of a page of a model, for somebody with a session."""
    row = MODELS[name]
    rights, has_object = row.of(who), bool(row.object) and who not in row.hidden_from
    if action == "history":
        if has_object and "v" in rights and name == "prompts_prompt":
            return REDIRECT  # to its versions
        return REDIRECT if not has_object else PAGE if "v" in rights else DENIED
    letter = {"changelist": "v", "add": "a", "delete": "d", "change": "v" if method == "GET" else "c"}[action]
    if letter not in rights:
        return DENIED
    if action in ("delete", "change") and (not has_object or (action, method) == ("delete", "POST")):
        return REDIRECT
    return PAGE
