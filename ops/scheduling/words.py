"""Schedules in words of the reader's language."""

from __future__ import annotations

from itertools import product
from typing import Final

from django.utils import timezone
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

_MOST_TIMES: Final = 6
# The names and descriptions that AFN's own schedules have in the database (`ops.scheduling.defaults`).
_KNOWN: Final = {
    gettext_noop("Tell webhooks"),
    gettext_noop("Sends what webhooks were not told yet."),
    gettext_noop("Look after jobs"),
    gettext_noop("Starts jobs that are due, and those whose worker died."),
    gettext_noop("Watch for alerts"),
    gettext_noop("Compares figures with limits, and tells of alerts."),
    gettext_noop("Catch up"),
    gettext_noop("Goes on with runs, brings the index in step."),
    gettext_noop("Back up"),
    gettext_noop("Makes a backup, and brings it to the bucket if there is one."),
    gettext_noop("Prove the newest backup"),
    gettext_noop("Restores it beside the live database, compares, removes it again."),
    gettext_noop("Remove old backups"),
    gettext_noop("Keeps what AFN_BACKUPS_KEEP says."),
    gettext_noop("Clean up"),
    gettext_noop("Deletes expired sessions and the like."),
    gettext_noop("Empty the trash"),
    gettext_noop("Deletes for good what is in it for 30 days."),
    gettext_noop("Shorten the audit log"),
    gettext_noop("Deletes lines older than a year."),
}


def known(text: str) -> str:
    """A name or description, translated where it is one that AFN comes with."""
    return _(text) if text in _KNOWN else text


def in_words(schedule: PeriodicTask) -> str:
    if schedule.crontab:
        return crontab_in_words(schedule.crontab)
    if schedule.interval:
        return interval_in_words(schedule.interval)
    return str(schedule.scheduler or "–")


def interval_in_words(interval: IntervalSchedule) -> str:
    count = int(interval.every)
    if interval.period == IntervalSchedule.SECONDS:
        text = ngettext("every second", "every %(count)s seconds", count)
    elif interval.period == IntervalSchedule.MINUTES:
        text = ngettext("every minute", "every %(count)s minutes", count)
    elif interval.period == IntervalSchedule.HOURS:
        text = ngettext("every hour", "every %(count)s hours", count)
    elif interval.period == IntervalSchedule.DAYS:
        text = ngettext("every day", "every %(count)s days", count)
    else:
        return str(interval)
    return text % {"count": count}


def crontab_in_words(crontab: CrontabSchedule) -> str:
    """What people set: times of days, weekdays, days of months, every so many minutes or hours. All else as
    it stands there."""
    found = _words(crontab)
    if found is None:
        fields = (crontab.minute, crontab.hour, crontab.day_of_month, crontab.month_of_year)
        found = _("by the crontab %(text)s") % {"text": " ".join((*fields, crontab.day_of_week))}
    if str(crontab.timezone) == timezone.get_current_timezone_name():
        return found
    return _("%(when)s (%(zone)s)") % {"when": found, "zone": crontab.timezone}


def _words(crontab: CrontabSchedule) -> str | None:
    time = _time(crontab.minute.strip(), crontab.hour.strip())
    day = _day(crontab.day_of_week.strip(), crontab.day_of_month.strip(), crontab.month_of_year.strip())
    if time is None or day is None:
        return None
    is_moment, text = time
    if is_moment:
        return _("%(day)s at %(times)s") % {"day": day or pgettext("schedule", "every day"), "times": text}
    return f"{text}, {day}" if day else text


def _time(minute: str, hour: str) -> tuple[bool, str] | None:
    """Whether it is moments of a day, and the words."""
    if minute == "*" and hour == "*":
        return False, pgettext("schedule", "every minute")
    if hour == "*":
        if (step := _step(minute)) is not None:
            text = ngettext("every minute", "every %(count)s minutes", step)
            return False, text % {"count": step}
        minutes = _numbers(minute, 59)
        if minutes is None:
            return None
        shown = get_text_list([f"{one:02d}" for one in minutes], _("and"))
        return False, _("every hour at minute %(minutes)s") % {"minutes": shown}
    minutes = _numbers(minute, 59)
    if (step := _step(hour)) is not None and minutes is not None and len(minutes) == 1:
        text = ngettext("every hour at minute %(minute)s", "every %(count)s hours at minute %(minute)s", step)
        return False, text % {"count": step, "minute": f"{minutes[0]:02d}"}
    hours = _numbers(hour, 23)
    if hours is None or minutes is None or len(hours) * len(minutes) > _MOST_TIMES:
        return None
    times = [f"{one:02d}:{other:02d}" for one, other in product(hours, minutes)]
    return True, get_text_list(times, _("and"))


def _day(weekday: str, day: str, month: str) -> str | None:
    """Empty for every day."""
    months = ""
    if month != "*":
        numbers = _numbers(month, 12)
        if not numbers or numbers[0] < 1:
            return None
        months = get_text_list([str(MONTHS[one]) for one in numbers], _("and"))
    if weekday != "*" and day != "*":
        return None
    if weekday != "*":
        if (text := _weekdays(weekday)) is None:
            return None
    elif day != "*":
        days = _numbers(day, 31)
        if not days or days[0] < 1:
            return None
        shown = get_text_list([str(one) for one in days], _("and"))
        text = _("on day %(days)s of the month") % {"days": shown}
    elif months:
        text = pgettext("schedule", "every day")
    else:
        return ""
    return _("%(day)s in %(months)s") % {"day": text, "months": months} if months else text


def _weekdays(text: str) -> str | None:
    numbers = _numbers(text, 7)
    if numbers is None:
        return None
    days = sorted({(one - 1) % 7 for one in numbers})  # Python's, whose week begins on Monday
    if len(days) == 7:
        return pgettext("schedule", "every day")
    if days == [0, 1, 2, 3, 4]:
        return _("from Monday to Friday")
    if days == [5, 6]:
        return _("at the weekend")
    return _("on %(days)s") % {"days": get_text_list([str(WEEKDAYS[one]) for one in days], _("and"))}


def _step(text: str) -> int | None:
    """Of */15."""
    step = text.removeprefix("*/")
    return int(step) if step != text and step.isascii() and step.isdigit() and int(step) > 0 else None


def _numbers(text: str, most: int) -> list[int] | None:
    """Of 1,3-5; None for what is no such list."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isascii() and first.isdigit()) or (dash and not (last.isascii() and last.isdigit())):
            return None
        begin, end = int(first), int(last or first)
        if begin > end or end > most:
            return None
        found |= set(range(begin, end + 1))
    return sorted(found)
