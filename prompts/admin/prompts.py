from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from vectors.errors import VectorError

from ..models import Prompt, Status
from ..tasks import index_prompts
from . import diff
from .display import STATUS_LABELS, chips, short_time
from .filters import FolderFilter, LanguageFilter, TagFilter
from .forms import PromptForm
from .inlines import EvaluationInline, VersionInline

_BATCH = 500


@admin.register(Prompt)
class PromptAdmin(ModelAdmin):
    form = PromptForm
    inlines = (VersionInline, EvaluationInline)
    list_display = ("name", "title", "status_label", "language", "version_label", "tag_chips", "updated")
    list_display_links = ("name", "title")
    list_filter = ("status", LanguageFilter, TagFilter, FolderFilter)
    list_per_page = 50
    search_fields = ("name", "title", "content")
    search_help_text = "Words in names, titles and contents. By meaning: Search, in the menu."
    show_full_result_count = False
    autocomplete_fields = ("user",)
    readonly_fields = ("version", "source", "created_at", "updated_at")
    warn_unsaved_form = True
    actions = ("activate", "archive", "reindex")
    actions_detail = ("compare",)
    fieldsets = (
        (None, {"fields": ("name", "title", "content", "message", "base_version")}),
        ("Properties", {"fields": ("status", "language", "tags", "user")}),
        ("Details", {"fields": ("metadata", "version", "source", "created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        prompts = super().get_queryset(request)
        match = request.resolver_match
        if match and match.url_name == "prompts_prompt_changelist":
            return prompts.defer("content", "metadata")  # a page of them may hold megabytes
        return prompts

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new prompt has no dates yet, and who may only read gets no box for a message."""
        main, properties, details = super().get_fieldsets(request, obj)
        if obj is None:
            return [main, properties, ("Details", {"fields": ("metadata",)})]
        if not self.has_change_permission(request, obj):
            main = (None, {"fields": ("name", "title", "content")})
        return [main, properties, details]

    def save_model(self, request: HttpRequest, obj: Prompt, form: Any, change: bool) -> None:
        before = obj.version if change else 0
        obj.save(author=request.user, message=form.cleaned_data.get("message", ""))
        if obj.version != before:
            self.message_user(request, f"Version {obj.version} was added.", messages.INFO)
        elif form.cleaned_data.get("message"):
            self.message_user(
                request, "The content is unchanged, so there is no version for the message.", messages.WARNING
            )

    @display(description="Status", label=STATUS_LABELS, ordering="status")
    def status_label(self, prompt: Prompt) -> str:
        return prompt.status

    @display(description="Version", ordering="version")
    def version_label(self, prompt: Prompt) -> str:
        return f"v{prompt.version}"

    @display(description="Tags")
    def tag_chips(self, prompt: Prompt) -> SafeString:
        return chips(prompt.tags if isinstance(prompt.tags, list) else [])

    @display(description="Updated", ordering="updated_at")
    def updated(self, prompt: Prompt) -> str:
        return short_time(prompt.updated_at)

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._set_status(request, queryset, Status.ACTIVE)

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._set_status(request, queryset, Status.ARCHIVED)

    @admin.action(description="Re-index for search", permissions=["change"])
    def reindex(self, request: HttpRequest, queryset: QuerySet) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        try:
            _index(ids)
        except VectorError as error:
            self.message_user(request, f"Nothing was indexed. {error}", messages.ERROR)
        else:
            self.message_user(request, f"{_prompts(len(ids))} handed to the search index.", messages.SUCCESS)

    @action(description="Compare versions", url_path="diff", permissions=["view"], icon="difference")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return diff.show(self, request, object_id)

    def _set_status(self, request: HttpRequest, queryset: QuerySet, status: Status) -> None:
        with transaction.atomic():
            changed = list(queryset.exclude(status=status))
            for prompt in changed:
                prompt.status = status
                prompt.save(update_fields=["status", "updated_at"], index=False)
            LogEntry.objects.log_actions(
                user_id=str(request.user.pk),
                queryset=changed,
                action_flag=CHANGE,
                change_message=[{"changed": {"fields": ["Status"]}}],
            )
            # One task for all. Robust: the status counts even while the embedder is out of reach.
            ids = [prompt.pk for prompt in changed]
            transaction.on_commit(lambda: _index(ids), robust=True)
        self.message_user(request, f"{_prompts(len(changed))} set to {status}.", messages.SUCCESS)


def _index(ids: list[str]) -> None:
    for start in range(0, len(ids), _BATCH):
        index_prompts.delay(ids[start : start + _BATCH])


def _prompts(number: int) -> str:
    return f"{number:,} prompt{'' if number == 1 else 's'}"
