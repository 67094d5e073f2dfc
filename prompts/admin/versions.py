from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from vectors.admin.display import link, short_time
from vectors.admin.paging import BoundedPaginator

from ..models import PromptVersion
from .display import diff_url
from .pages.base import head


@admin.register(PromptVersion)
class PromptVersionAdmin(ModelAdmin):
    """To read only: versions are made by saving a prompt."""

    empty_help = _(
        "Each change of a prompt's content makes a version, with who made it and why. Write or import "
        "a prompt first."
    )
    empty_link = (_("Prompts"), "admin:prompts_prompt_changelist", "prompts.view_prompt")
    list_display = ("prompt", "number", "message", "author", "created")
    list_per_page = 50
    search_fields = ("prompt__name", "message")
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-created_at",)
    fields = readonly_fields = (
        "prompt", "number", "text", "template_format", "variables", "config", "message", "author",
        "created_at", "difference", "content_hash",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        versions = super().get_queryset(request).select_related("prompt", "author").defer("prompt__content")
        versions = versions.filter(deleted_at=None, prompt__deleted_at=None)
        match = request.resolver_match
        is_page = match and match.url_name == "prompts_promptversion_change"
        return versions if is_page else versions.defer("content", "config", "variables")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Below the head of its prompt, whose tabs lead back."""
        version = self.get_object(request, unquote(object_id))
        context = {**(extra_context or {}), **(head(version.prompt, "versions") if version else {})}
        return super().change_view(request, object_id, form_url, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only together with the prompt."""
        return not self._is_page(request) and super().has_delete_permission(request, obj)

    def _is_page(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        return bool(match and str(match.url_name).startswith("prompts_promptversion_"))

    @display(description=_("Version"), ordering="version")
    def number(self, version: PromptVersion) -> str:
        return f"v{version.version}"

    @display(description=_("Created"), ordering="created_at")
    def created(self, version: PromptVersion) -> str:
        return short_time(version.created_at)

    @display(description=_("Content"))
    def text(self, version: PromptVersion) -> SafeString:
        return format_html('<pre class="afn-text">{}</pre>', version.text_of(version.prompt.type))

    @display(description=_("Changes"))
    def difference(self, version: PromptVersion) -> SafeString | str:
        if version.version == 1:
            return str(_("first version"))
        old = version.version - 1
        return link(diff_url(version.prompt_id, old, version.version), f"v{old} → v{version.version}")
