import json
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from vectors.admin.confirming import is_typed
from vectors.admin.display import Labelled, chips, count, short_time
from vectors.admin.paging import BoundedPaginator
from vectors.errors import VectorError

from .. import trash
from ..errors import RegistryProblem
from ..exchange.rights import IMPORTING, missing_right
from ..label_states import label_order
from ..models import Prompt, PromptLabel, Status, User
from ..ownership import CHANGE_OTHERS, check_owner, may_change
from ..previewing import doubts
from ..queueing import enqueue
from ..saving import save_prompt, set_status
from ..tasks import index_prompts
from . import diff, exchange
from .display import STATUS_LABELS, said_saved
from .filters import FolderFilter, LanguageFilter, TagFilter, TrashFilter, is_trash
from .forms import PromptForm
from .pages import PAGES
from .pages.base import head, view_of
from .pages.rendering import find_includes, show_preview
from .trash import WithTrash

_BATCH = 500
_LABELS = 3  # of a row of the list


@admin.register(Prompt)
class PromptAdmin(WithTrash):
    form = PromptForm
    empty_help = _(
        "Prompts are kept here with all their versions. Write the first one, or import those that you have."
    )
    empty_link = (_("Import prompts"), "admin:prompts_prompt_import_page", *IMPORTING)
    list_display = ("name", "title", "status_label", "language", "version_label", "tag_chips", "updated")
    list_display_links = ("name", "title")
    list_filter = ("status", "type", LanguageFilter, TagFilter, FolderFilter, TrashFilter)
    list_per_page = 50
    search_fields = ("name", "title", "content")
    search_help_text = _("Words in names, titles and contents. By meaning: Search, in the menu.")
    show_full_result_count = False
    paginator = BoundedPaginator
    autocomplete_fields = ("user",)
    readonly_fields = ("source", "created_at", "updated_at")
    warn_unsaved_form = True
    actions = ("activate", "archive", "reindex", "delete_selected", "restore")
    actions_detail = ("compare",)
    actions_list = ("import_page", "export_page", "trash_page")
    fieldsets = (
        (None, {"fields": (("name", "title"), ("type", "template_format"), "content")}),
        (_("Variables and config"), {"fields": (("variables", "config"),)}),
        (_("Properties"), {"fields": (("status", "language"), ("tags", "user"))}),
        (
            _("Details"),
            {"fields": ("metadata", ("source", "created_at", "updated_at")), "classes": ("collapse",)},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        prompts = super().get_queryset(request)
        match = request.resolver_match
        if match and match.url_name == "prompts_prompt_changelist":
            if is_trash(request):
                prompts = Prompt.everything.exclude(deleted_at=None).order_by("-deleted_at", "pk")
            # A page of them may hold megabytes.
            labels = PromptLabel.objects.select_related("version").only("name", "prompt", "version__version")
            prompts = prompts.prefetch_related(Prefetch("labels", labels.order_by("name")))
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
        beside = [
            path(
                f"{name}/",
                self.admin_site.admin_view(partial(view, self)),
                name=f"prompts_prompt_{name}",
            )
            for name, view in (("preview", show_preview), ("includes", find_includes))
        ]
        # Before Django's last, which takes all that is left.
        return [*pages, *beside, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> Any:
        prompt = options.get("obj")
        may_save = self.has_change_permission(request, prompt) if prompt else self.has_add_permission(request)
        context |= {"may_save": may_save, "may_preview": self.has_view_permission(request)}
        if prompt:
            variables = json.dumps(prompt.variables, ensure_ascii=False)
            context |= {**head(prompt, "change"), "original_variables": variables}
            context["next_version"] = max(prompt.version, prompt.purged_version) + 1
        return super().render_change_form(request, context, *args, **options)

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

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Who means this prompt types its name. Several at once go by the list's action: they come back."""
        prompt = self.get_object(request, unquote(object_id))
        is_allowed = prompt is not None and self.has_delete_permission(request, prompt)
        if request.method == "POST" and prompt and is_allowed and not is_typed(request, prompt.name):
            told = gettext("Nothing was deleted: type “%(name)s” into the box to confirm.")
            self.message_user(request, told % {"name": prompt.name}, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return self._told(
            request, lambda: super(PromptAdmin, self).delete_view(request, object_id, *args, **kwargs)
        )

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
            self.message_user(request, problem.sentence, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Prompt) -> None:
        trash.delete_prompt(obj, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for prompt in queryset:
            check_owner(_actor(request), prompt)
            trash.delete_prompt(prompt, actor=_actor(request))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new prompt has no dates yet."""
        *first, (name, details) = super().get_fieldsets(request, obj)
        return [*first, (name, details if obj else details | {"fields": ("metadata",)})]

    def save_model(self, request: HttpRequest, obj: Prompt, form: Any, change: bool) -> None:
        if not change and not obj.user_id:  # the form of who may not choose an owner has no field for one
            obj.user = _actor(request)
        message = form.cleaned_data.get("message", "")
        base = form.cleaned_data.get("base_version") if change and form.changes_payload else None
        if save_prompt(obj, author=_actor(request), message=message, base_version=base).is_new:
            told = gettext("Version %(number)s was saved.") % {"number": obj.version}
            self.message_user(request, said_saved(obj, told), messages.SUCCESS)
            for doubt in doubts(obj):
                told = gettext("%(text)s is no variable: it is sent as it stands.") % {"text": doubt.text}
                self.message_user(request, told, messages.WARNING)
        elif message:
            told = gettext("Saved. The content is unchanged, so there is no version for the message.")
            self.message_user(request, told, messages.WARNING)
        else:
            told = gettext("Saved. The content is unchanged, so there is no new version.")
            self.message_user(request, told, messages.SUCCESS)

    def response_add(self, request: HttpRequest, obj: Prompt, post_url_continue: Any = None) -> HttpResponse:
        """Without Django's message beside that of ``save_model``."""
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return self.response_post_save_add(request, obj)

    def response_change(self, request: HttpRequest, obj: Prompt) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        return self.response_post_save_change(request, obj)

    def response_post_save_add(self, request: HttpRequest, obj: Prompt) -> HttpResponse:
        return self._back_to_the_form(request, obj) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Prompt) -> HttpResponse:
        return self._back_to_the_form(request, obj) or super().response_post_save_change(request, obj)

    def _back_to_the_form(self, request: HttpRequest, obj: Prompt) -> HttpResponse | None:
        """Who saves goes on writing."""
        if not self.has_view_permission(request, obj):
            return None
        return HttpResponseRedirect(reverse("admin:prompts_prompt_change", args=[obj.pk]))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Its versions: Django's history says less of them, and the audit log more of all else."""
        prompt = self.get_object(request, unquote(object_id))
        if prompt is None:
            return super().history_view(request, object_id, extra_context)
        if not self.has_view_or_change_permission(request, prompt):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:prompts_prompt_versions", args=[prompt.pk]))

    @display(description=_("Status"), label=STATUS_LABELS, ordering="status")
    def status_label(self, prompt: Prompt) -> Labelled:
        return Labelled(prompt.status, prompt.get_status_display())

    @display(description=_("Version"), ordering="version")
    def version_label(self, prompt: Prompt) -> SafeString:
        """The newest, and what its labels serve."""
        labels = sorted(prompt.labels.all(), key=lambda one: label_order(one.name))
        served = chips(f"{one.name} v{one.version.version}" for one in labels[:_LABELS])
        more = f" +{len(labels) - _LABELS}" if len(labels) > _LABELS else ""
        return format_html("v{} {}{}", prompt.version, served, more)

    @display(description=_("Tags"))
    def tag_chips(self, prompt: Prompt) -> SafeString:
        return chips(prompt.tags if isinstance(prompt.tags, list) else [])

    @display(description=_("Updated"), ordering="updated_at")
    def updated(self, prompt: Prompt) -> str:
        return short_time(prompt.updated_at)

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._set_status(request, queryset, Status.ACTIVE)

    @admin.action(description=_("Archive"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._set_status(request, queryset, Status.ARCHIVED)

    @admin.action(description=_("Re-index for search"), permissions=["change"])
    def reindex(self, request: HttpRequest, queryset: QuerySet) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        try:
            _index(ids)
        except VectorError as error:
            self.message_user(request, f"{gettext('Nothing was indexed.')} {error}", messages.ERROR)
        else:
            told = ngettext(
                "%(number)s prompt handed to the search index.",
                "%(number)s prompts handed to the search index.",
                len(ids),
            )
            self.message_user(request, told % {"number": count(len(ids))}, messages.SUCCESS)

    @action(description=_("Compare versions"), url_path="diff", permissions=["view"], icon="difference")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return diff.show(self, request, object_id)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return not missing_right(_actor(request))

    @action(description=_("Import"), url_path="import", permissions=["import"], icon="upload")
    def import_page(self, request: HttpRequest) -> HttpResponse:
        return exchange.show_import(self, request)

    @action(description=_("Export"), url_path="export", permissions=["view"], icon="download")
    def export_page(self, request: HttpRequest) -> HttpResponseBase:
        return exchange.show_export(self, request)

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
        told = ngettext(
            "%(number)s prompt set to %(status)s.", "%(number)s prompts set to %(status)s.", len(changed)
        )
        shown = {"number": count(len(changed)), "status": status}
        self.message_user(request, told % shown, messages.SUCCESS)


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)  # only known users get here


def _is_theirs(request: HttpRequest, prompt: Prompt | None) -> bool:
    return prompt is None or may_change(_actor(request), prompt)


def _index(ids: list[str]) -> None:
    for start in range(0, len(ids), _BATCH):
        enqueue(index_prompts, ids[start : start + _BATCH], otherwise="Prompts wait to be indexed")
