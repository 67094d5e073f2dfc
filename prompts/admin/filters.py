from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from . import choices


class TrashFilter(SimpleListFilter):
    """What it shows is up to the page: elsewhere nobody sees the trash."""

    title = _("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("In the trash"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        return None


def is_trash(request: HttpRequest) -> bool:
    return request.GET.get(TrashFilter.parameter_name) == "yes"


class TagFilter(SimpleListFilter):
    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(tag, tag) for tag in choices.tags()]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        return queryset.tagged(self.value()) if self.value() else None


class FolderFilter(SimpleListFilter):
    title = _("folder")
    parameter_name = "folder"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(folder, folder) for folder in choices.top_folders()]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        return queryset.in_folder(self.value()) if self.value() else None


class LanguageFilter(SimpleListFilter):
    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(language, language) for language in choices.languages()]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        return queryset.filter(language=self.value()) if self.value() else None
