"""The groups that most teams need: Readers, Editors and Admins, with what each of them may do.

They are made and completed after every migration. Permissions are only ever added: what an operator gave
a group by hand stays. Those of models that come later go to Readers (``view_…``) and Admins by themselves.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import Group, Permission
from django.db import connections, router, transaction
from django.db.models.signals import post_migrate
from django.dispatch import receiver

APPS: Final = ("vectors", "prompts", "ops")  # in the order of their migrations
READERS, EDITORS, ADMINS = "Readers", "Editors", "Admins"
# By the name that commands take.
ROLES: Final = {"reader": READERS, "editor": EDITORS, "admin": ADMINS}

# Everybody has keys of their own. A key can do no more than its user.
_OWN_KEYS: Final = {"prompts.add_apikey", "prompts.change_apikey", "prompts.view_apikey"}
# What Editors write. Of prompts it is their own, as long as they lack prompts.change_others_prompts.
_WRITING: Final = {
    "prompts.add_prompt",
    "prompts.change_prompt",
    "prompts.delete_prompt",
    "prompts.delete_promptversion",
    "prompts.add_promptlabel",
    "prompts.change_promptlabel",
    "prompts.delete_promptlabel",
    "prompts.add_evaluation",
    "prompts.add_dataset",
    "prompts.change_dataset",
    "prompts.add_datasetitem",
    "prompts.change_datasetitem",
    "prompts.delete_datasetitem",
    "prompts.add_evaluationrun",
    "prompts.change_evaluationrun",
    "prompts.add_splitsubject",
    "prompts.add_tracescore",
    "prompts.delete_tracescore",
    "vectors.add_judgement",
    "vectors.change_judgement",
}
# Accounts are made by superusers and commands: who could change one would get what it may do. So it is with
# whole databases, which merging writes past all owners.
_SUPERUSERS: Final = {
    *(f"prompts.{action}_user" for action in ("add", "change", "delete")),
    *(f"ops.{action}_environment" for action in ("add", "change", "delete")),
}


# What of our content is about people.
_OF_ADMINS: Final = ("view_user", "view_loginlock")


def _is_for_readers(name: str) -> bool:
    app, _, codename = name.partition(".")
    is_content = app in ("prompts", "vectors") and codename.startswith("view_") and codename not in _OF_ADMINS
    return is_content or name in _OWN_KEYS


def _is_for_editors(name: str) -> bool:
    return _is_for_readers(name) or name in _WRITING


def _is_for_admins(name: str) -> bool:
    return name not in _SUPERUSERS


_RULES: Final[dict[str, Callable[[str], bool]]] = {
    READERS: _is_for_readers,
    EDITORS: _is_for_editors,
    ADMINS: _is_for_admins,
}


@receiver(post_migrate)
def _after_migrations(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name == APPS[-1]:  # then the permissions of all of them are there
        update_roles(using)


def update_roles(using: str) -> None:
    """Make the groups that are missing, and give each the permissions that it lacks."""
    if not router.allow_migrate_model(using, Group) or not _has_tables(using):
        return
    with transaction.atomic(using=using):
        known = _permissions(using)
        for name, belongs in _RULES.items():
            group, _ = Group.objects.using(using).get_or_create(name=name)
            has = set(group.permissions.values_list("pk", flat=True))
            if missing := [pk for permission, pk in known.items() if belongs(permission) and pk not in has]:
                group.permissions.add(*missing)


def _permissions(using: str) -> dict[str, int]:
    """Ids by name, of the permissions of our apps."""
    rows = Permission.objects.using(using).filter(content_type__app_label__in=APPS).order_by("pk")
    return {f"{app}.{codename}": pk for app, codename, pk in rows.values_list(*_NAME, "pk")}


_NAME: Final = ("content_type__app_label", "codename")


def _has_tables(using: str) -> bool:
    """Not after a migration back to nothing."""
    tables = {Group._meta.db_table, Permission._meta.db_table, Group.permissions.through._meta.db_table}
    return tables <= set(connections[using].introspection.table_names())
