"""What ends up in the audit log by itself.

Two sources, for neither sees everything. The registry writes with ``update()`` and in bulk, which sends no
signals of models: it tells of events (`prompts.events`). Keys, users, policies and the like are saved one by
one: there the signals of their models say which fields changed. Items of datasets are neither: thousands come
and go at a time, so that their number is a line of the dataset.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import DatabaseError, models
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from ops.alerts.models import AlertChannel, AlertRule, AlertSilence
from ops.webhooks.models import Webhook
from prompts.auth import find_user
from prompts.evaluating.datasets import items_changed
from prompts.events import Event, happened
from prompts.login_locks import unlocked
from prompts.models import ApiKey, Dataset, EvaluationRun, LabelPolicy, User
from vectors.migrating.signals import switched
from vectors.models import Collection

from . import values
from .recording import record, try_record

_MODELS: Final = (
    AlertChannel, AlertRule, AlertSilence, ApiKey, Collection, CrontabSchedule, Dataset, EvaluationRun,
    Group, IntervalSchedule, LabelPolicy, PeriodicTask, User, Webhook,
)  # fmt: skip
# They change whenever anything does, or whenever somebody just looks.
_PASSED_OVER: Final = {
    "updated_at", "last_login", "last_used_at", "failing_since", "last_run_at", "date_changed",
    "pending_since", "measured_at",
}  # fmt: skip
_RELATIONS: Final = {
    User.groups.through: "groups",
    User.user_permissions.through: "user_permissions",
    Group.permissions.through: "permissions",
}
_DONE: Final = {"post_add": "added", "post_remove": "removed"}
_MAX_NAMED: Final = 20


def listen() -> None:
    """Connect to the models, once the apps are there."""
    for model in _MODELS:
        name = model._meta.label_lower
        pre_save.connect(_before, sender=model, dispatch_uid=f"audit-before-{name}")
        post_save.connect(_saved, sender=model, dispatch_uid=f"audit-saved-{name}")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"audit-deleted-{name}")
    for through in _RELATIONS:
        m2m_changed.connect(_related, sender=through, dispatch_uid=f"audit-{through._meta.label_lower}")


@receiver(happened, dispatch_uid="audit")
def _happened(event: Event, using: str, **_: Any) -> None:
    record(
        event.kind,
        kind="prompts.prompt",
        key=event.prompt_id,
        name=event.prompt_name,
        changes=_flat(event.data),
        actor=_actor(event.actor_id, using),
        using=using,
    )


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    """The fields that an event says were changed stand beside its other facts."""
    changed = data.get("changed")
    facts = values.bounded({name: value for name, value in data.items() if name != "changed"})
    return {**changed, **facts} if isinstance(changed, dict) else facts


def _actor(actor_id: str, using: str) -> tuple[str, str] | None:
    """Who did it, where the event knows; else whoever the request is from."""
    if not actor_id:
        return None
    name = User.objects.using(using).filter(pk=actor_id).values_list("username", flat=True).first()
    return actor_id, name or ""


def _before(instance: models.Model, using: str, raw: bool = False, **_: Any) -> None:
    """Keep what is stored, to compare."""
    stored = None
    if not instance._state.adding and not raw:
        stored = type(instance)._base_manager.using(using).filter(pk=instance.pk).first()
    instance._audit_before = _state(stored) if stored else None  # type: ignore[attr-defined]


def _saved(
    instance: models.Model, using: str, created: bool, raw: bool = False, update_fields: Any = None, **_: Any
) -> None:
    before = instance.__dict__.pop("_audit_before", None)
    if raw:
        return
    after = _state(instance)
    if before is not None and update_fields is not None:
        after = {**before, **{name: after[name] for name in update_fields if name in after}}
    changes = values.difference(before or {}, after)
    if created:
        changes = {name: value for name, value in changes.items() if value not in ([None, None], [None, ""])}
    elif not changes:
        return
    _record(instance, "created" if created else "changed", changes, using)


def _deleted(instance: models.Model, using: str, **_: Any) -> None:
    _record(instance, "deleted", {}, using)


def _related(
    instance: Any, action: str, pk_set: Any, model: Any, sender: Any, using: str, reverse: bool, **_: Any
) -> None:
    field = _RELATIONS[sender]
    if action == "post_clear":
        _record(instance, "changed", {field: {"removed": "all"}}, using)
    elif action in _DONE and pk_set:
        keys = sorted(pk_set)
        found = model._base_manager.using(using).filter(pk__in=keys[:_MAX_NAMED])
        names = [getattr(one, "codename", None) or str(one) for one in found]
        if len(keys) > _MAX_NAMED:
            names.append(f"and {len(keys) - _MAX_NAMED} more")
        # From the other end, such as the users of a group, those are what it was added to.
        _record(instance, "changed", {f"in {field} of" if reverse else field: {_DONE[action]: names}}, using)


def _record(instance: models.Model, done: str, changes: dict[str, Any], using: str) -> None:
    meta = instance._meta
    record(
        f"{meta.model_name}.{done}",
        kind=meta.label_lower,
        key=instance.pk,
        name=str(instance),
        changes=changes,
        using=using,
    )


def _state(instance: models.Model) -> dict[str, Any]:
    return {
        field.attname: getattr(instance, field.attname)
        for field in instance._meta.concrete_fields
        if field.name not in _PASSED_OVER and field.attname not in instance.get_deferred_fields()
        and not isinstance(getattr(instance, field.attname), models.expressions.BaseExpression)
    }  # fmt: skip


@receiver(user_logged_in, dispatch_uid="audit")
def _logged_in(user: Any, **_: Any) -> None:
    _try("user.logged_in", user)


@receiver(user_logged_out, dispatch_uid="audit")
def _logged_out(user: Any, **_: Any) -> None:
    if user is not None:
        _try("user.logged_out", user)


@receiver(user_login_failed, dispatch_uid="audit")
def _login_failed(credentials: dict[str, Any], **_: Any) -> None:
    # Only the name of somebody who exists: many a password is typed into the field above.
    login = str(credentials.get("username") or credentials.get("email") or "")
    with suppress(DatabaseError):
        user = find_user(login) if login and "\0" not in login else None
        _try("user.login_failed", user)


@receiver(unlocked, dispatch_uid="audit")
def _unlocked(user: User | None, address: str, **_: Any) -> None:
    key, name = (user.pk, user.get_username()) if user else ("", "")
    changes = {"address": address or "all"}
    record("user.unlocked", kind="prompts.user", key=key, name=name, changes=changes)


@receiver(switched, dispatch_uid="audit")
def _switched(collection: Collection, using: str, **_: Any) -> None:
    """Another embedding model: rows change over by `update()`, which sends no signals of models."""
    _record(collection, "switched", {"embedder": collection.embedder, "model": collection.model}, using)


@receiver(items_changed, dispatch_uid="audit")
def _items_changed(dataset: Dataset, facts: dict[str, Any], using: str, **_: Any) -> None:
    _record(dataset, "changed", values.bounded(facts), using)


def _try(action: str, user: Any) -> None:
    name = user.get_username() if user else ""
    actor = (str(user.pk), name) if user and action != "user.login_failed" else None
    try_record(action, kind="prompts.user", key=user.pk if user else "", name=name, actor=actor)
