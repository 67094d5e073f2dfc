"""The settings, as Django's checks and AFN's own judge them."""

from typing import Final

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.db import DEFAULT_DB_ALIAS

from ..examining import Case
from ..findings import Notes

# Who can read secrets: shown as an area of its own.
_SECRETS: Final = ("afn.W010", "afn.W011")
_LOCAL: Final = ("development",)


def look(notes: Notes, case: Case) -> None:
    found = [one for one in messages() if one.id not in _SECRETS]
    for one in found:
        _add(notes, one)
    if not found:
        how = (
            "also those of a deployment"
            if settings.SECURE_SSL_REDIRECT
            else "without AFN_HTTPS not a deployment's"
        )
        notes.ok("checks", f"all pass, {how}")
    _look_at_debug(notes)
    if settings.TIME_ZONE != "UTC" and not settings.USE_TZ:
        notes.warn("time zone", "USE_TZ is off", "Times are kept without their zone.", "Leave USE_TZ on.")
    else:
        notes.ok("time zone", f"kept in UTC, shown in {settings.TIME_ZONE}")


def look_at_secrets(notes: Notes, case: Case) -> None:
    found = [one for one in messages() if one.id in _SECRETS]
    for one in found:
        _add(notes, one)
    if not found:
        notes.ok(
            "files with secrets", "no plain one beside an encrypted one, and no other user can read them"
        )


def messages() -> list[CheckMessage]:
    found = checks.run_checks(
        include_deployment_checks=bool(settings.SECURE_SSL_REDIRECT), databases=[DEFAULT_DB_ALIAS]
    )
    return [one for one in found if not one.is_silenced() and one.level >= checks.WARNING]


def _add(notes: Notes, one: CheckMessage) -> None:
    add = notes.problem if one.level >= checks.ERROR else notes.warn
    text = " ".join(str(one.msg).split())
    add(
        one.id or "check",
        text,
        "A check of the settings says so (`manage.py check`).",
        " ".join(str(one.hint or "Do what the text says; docs/settings.md has the settings.").split()),
    )


def _look_at_debug(notes: Notes) -> None:
    if not settings.DEBUG:
        notes.ok("DEBUG", "off")
        return
    if settings.ENVIRONMENT in _LOCAL:
        notes.ok("DEBUG", f"on, in {settings.ENVIRONMENT}")
        return
    notes.problem(
        "DEBUG",
        f"on, in {settings.ENVIRONMENT}",
        "Whoever causes an error is shown settings, code and what was being worked on.",
        "DEBUG=0, or ENVIRONMENT=development where nobody else reaches the site; then restart.",
    )
