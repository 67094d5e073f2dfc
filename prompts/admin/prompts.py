from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from vectors.admin.display import chips, short_time
from vectors.errors import VectorError

from .. import trash
from ..errors import RegistryProblem
from ..models import Prompt, Status, User
from ..ownership import CHANGE_OTHERS, check_owner, may_change
from ..queueing import enqueue
from ..saving import save_prompt, set_status
from ..tasks import index_prompts
from . import diff
from .display import STATUS_LABELS
from .filters import FolderFilter, LanguageFilter, TagFilter, TrashFilter, is_trash
from .forms import PromptForm
from .inlines import EvaluationInline, VersionInline
from .pages import PAGES
from .pages.base import head, view_of

_BATCH = 500


@admin.register(Prompt)
class PromptAdmin(ModelAdmin):
    form = PromptForm
    inlines = (VersionInline, EvaluationInline)
    list_display = ("name", "title", "status_label", "language", "version_label", "tag_chips", "updated")
    list_display_links = ("name", "title")
    list_filter = ("status", "type", LanguageFilter, TagFilter, FolderFilter, TrashFilter)
    list_per_page = 50
    search_fields = ("name", "title", "content")
    search_help_text = "Words in names, titles and contents. By meaning: Search, in the menu."
    show_full_result_count = False
    autocomplete_fields = ("user",)
    readonly_fields = ("version", "source", "created_at", "updated_at")
    warn_unsaved_form = True
    actions = ("activate", "archive", "reindex", "restore")
    actions_detail = ("compare",)
    fieldsets = (
        (None, {"fields": ("name", "title", "type", "content", "message", "base_version")}),
        ("Template", {"fields": ("template_format", "variables", "config")}),
        ("Properties", {"fields": ("status", "language", "tags", "user")}),
        ("Details", {"fields": ("metadata", "version", "source", "created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        prompts = super().get_queryset(request)
        match = request.resolver_match
        if match and match.url_name == "prompts_prompt_changelist":
            if is_trash(request):
                prompts = Prompt.everything.exclude(deleted_at=None).order_by("-deleted_at", "pk")
            # A page of them may hold megabytes.
            return prompts.defer("content", "metadata", "config", "variables")
        return prompts

    def get_urls(self) -> list[Any]:
        pages = [
            path(
                f"<str:object_id>/{page.name}/",
                self.admin_site.admin_view(view_of(self, page)),
                name=page.url_name,
            )
            for page in PAGES
        ]
        return [*pages, *super().get_urls()]  # before Django's last, which takes all that is left

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> Any:
        if prompt := options.get("obj"):
            context |= head(prompt, "change")
        return super().render_change_form(request, context, *args, **options)

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return None if is_trash(request) else super().get_list_display_links(request, list_display)

    def get_actions(self, request: HttpRequest) -> Any:
        """In the trash there is nothing to do but to restore, and nowhere else."""
        actions = super().get_actions(request)
        return {name: one for name, one in actions.items() if (name == "restore") == is_trash(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if not request.user.has_perm(CHANGE_OTHERS):
            fields = (*fields, "user")
        return (*fields, "type") if obj else fields  # chosen once

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_theirs(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """They go to the trash, and all that belongs to them stays with them there."""
        return [str(prompt) for prompt in objs], {"prompts": len(objs)}, set(), []

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(request, lambda: super(PromptAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(request, lambda: super(PromptAdmin, self).delete_view(request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(request, lambda: super(PromptAdmin, self).changelist_view(request, *args, **kwargs))

    def _told(self, request: HttpRequest, show: Callable[[], HttpResponse]) -> HttpResponse:
        """The page, or what the registry refuses, with nothing of it done."""
        if request.method != "POST":
            return show()
        try:
            with transaction.atomic():
                return show()
        except RegistryProblem as problem:
            text = f"Expected {problem.expected}, got {problem.got}. {problem.hint}".strip()
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Prompt) -> None:
        trash.delete_prompt(obj, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for prompt in queryset:
            check_owner(_actor(request), prompt)
            trash.delete_prompt(prompt, actor=_actor(request))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new prompt has no dates yet, and who may only read gets no box for a message."""
        main, template, properties, details = super().get_fieldsets(request, obj)
        if obj is None:
            return [main, template, properties, ("Details", {"fields": ("metadata",)})]
        if not self.has_change_permission(request, obj):
            main = (None, {"fields": ("name", "title", "type", "content")})
        return [main, template, properties, details]

    def save_model(self, request: HttpRequest, obj: Prompt, form: Any, change: bool) -> None:
        if not change and not obj.user_id:  # the form of who may not choose an owner has no field for one
            obj.user = _actor(request)
        message = form.cleaned_data.get("message", "")
        base = form.cleaned_data.get("base_version") if change and form.changes_payload else None
        if save_prompt(obj, author=_actor(request), message=message, base_version=base).is_new:
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

    @admin.action(description="Restore", permissions=["delete"])
    def restore(self, request: HttpRequest, queryset: QuerySet) -> None:
        restored = list(queryset)
        for prompt in restored:
            check_owner(_actor(request), prompt)
            trash.restore_prompt(prompt, actor=_actor(request))
        self.message_user(request, f"{_prompts(len(restored))} restored.", messages.SUCCESS)

    @action(description="Compare versions", url_path="diff", permissions=["view"], icon="difference")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return diff.show(self, request, object_id)

    def _set_status(self, request: HttpRequest, queryset: QuerySet, status: Status) -> None:
        with transaction.atomic():
            changed = list(queryset.exclude(status=status))
            for prompt in changed:
                check_owner(_actor(request), prompt)
                set_status(prompt, status, author=_actor(request), index=False)
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


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)  # only known users get here


def _is_theirs(request: HttpRequest, prompt: Prompt | None) -> bool:
    return prompt is None or may_change(_actor(request), prompt)


def _index(ids: list[str]) -> None:
    for start in range(0, len(ids), _BATCH):
        enqueue(index_prompts, ids[start : start + _BATCH], otherwise="Prompts wait to be indexed")


def _prompts(number: int) -> str:
    return f"{number:,} prompt{'' if number == 1 else 's'}"
