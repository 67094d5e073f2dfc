"""The values that filters offer: what the prompts have, most frequent first."""

from django.db import connection
from django.db.models import CharField, Count, Expression, F, Func, Value
from django.db.models.functions import StrIndex, Substr

from ..models import Prompt, PromptLabel
from .keeping import kept_where_slow

MOST = 100


@kept_where_slow
def tags() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tag.value FROM prompts, json_each(prompts.tags) AS tag "
            "WHERE tag.type = 'text' AND prompts.deleted_at IS NULL "
            "GROUP BY tag.value ORDER BY COUNT(*) DESC, tag.value LIMIT %s",
            [MOST],
        )
        return [value for (value,) in cursor.fetchall()]


@kept_where_slow
def languages() -> list[str]:
    return list(
        Prompt.objects.exclude(language="")
        .values_list("language", flat=True)
        .annotate(prompts=Count("pk"))
        .order_by("-prompts", "language")[:MOST]
    )


@kept_where_slow
def labels() -> list[str]:
    labels = PromptLabel.objects.filter(prompt__deleted_at=None).values_list("name", flat=True)
    return list(labels.annotate(prompts=Count("pk")).order_by("-prompts", "name")[:MOST])


@kept_where_slow
def owners() -> list[str]:
    """The names of those whose prompts they are."""
    names = Prompt.objects.values_list("user__username", flat=True)
    return list(names.annotate(prompts=Count("pk")).order_by("-prompts", "user__username")[:MOST])


@kept_where_slow
def top_folders() -> list[str]:
    """The first part of the names that have folders."""
    return _distinct(Substr("name", 1, StrIndex("name", Value("/")) - 1))


@kept_where_slow
def folders() -> list[str]:
    """All that stands before the last slash of a name, as the search index has it."""
    # Trimming every character of the name except the slash from the right leaves the folder.
    letters = Func(F("name"), Value("/"), Value(""), function="REPLACE", output_field=CharField())
    path = Func(F("name"), letters, function="RTRIM", output_field=CharField())
    return [folder.rstrip("/") for folder in _distinct(path)]


def _distinct(folder: Expression) -> list[str]:
    names = Prompt.objects.filter(name__contains="/").annotate(found=folder).order_by("found")
    return list(names.values_list("found", flat=True).distinct()[:MOST])
