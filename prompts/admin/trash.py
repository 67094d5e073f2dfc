"""The trash in the console: prompts go there, are looked at there, and come back."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from vectors.admin.display import count, link, short_time

from .. import trash
from ..errors import RegistryProblem
from ..models import Prompt, User
from ..ownership import check_owner, may_change
from .filters import TrashFilter, is_trash

_NAMED = 20  # of those that somebody is about to delete


class WithTrash(ModelAdmin):
    """Of the prompts' admin, whose list shows the trash where it is asked for."""

    list_before_template = "admin/prompts/prompt/before_list.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.restore_view)
        return [path("<str:object_id>/restore/", view, name="prompts_prompt_restore"), *super().get_urls()]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist: Any = super().get_changelist_instance(request)
        changelist.is_trash = is_trash(request)
        changelist.place = gettext("Trash") if changelist.is_trash else ""
        changelist.title = changelist.place or changelist.title
        is_narrowed = changelist.query or set(changelist.get_filters_params()) != {TrashFilter.parameter_name}
        changelist.is_empty_trash = changelist.is_trash and not is_narrowed and not changelist.result_count
        return changelist

    def get_list_display(self, request: HttpRequest) -> Any:
        if not is_trash(request):
            return super().get_list_display(request)
        columns = ("name", "title", "deleted")
        may_restore = request.user.has_perm("prompts.delete_prompt")
        return (*columns, self._back_for(_actor(request))) if may_restore else columns

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return None if is_trash(request) else super().get_list_display_links(request, list_display)

    def get_actions(self, request: HttpRequest) -> Any:
        """In the trash there is nothing to do but to restore, and nowhere else."""
        actions = super().get_actions(request)
        return {name: one for name, one in actions.items() if (name == "restore") == is_trash(request)}

    @display(description=_("In the trash since"), ordering="deleted_at")
    def deleted(self, prompt: Prompt) -> str:
        return short_time(prompt.deleted_at)

    def _back_for(self, user: User) -> Callable[[Prompt], SafeString]:
        """The column of buttons, which are of the list's own form: it has the token. No button refuses."""

        @display(description=_("Restore"))
        def back(prompt: Prompt) -> SafeString:
            if not may_change(user, prompt):
                return SafeString("–")
            return format_html(
                '<button type="submit" class="afn-plain" formmethod="post" formaction="{}">{}'
                '<span class="afn-hidden"> {}</span></button>',
                reverse("admin:prompts_prompt_restore", args=[prompt.pk]),
                gettext("Restore"),
                prompt.name,
            )

        return back

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_delete(request, obj_display, obj_id)
        told = gettext("%(name)s is in the trash, with all its versions.") % {"name": obj_display}
        self._tell_with_trash(request, told)
        return HttpResponseRedirect(reverse("admin:prompts_prompt_changelist"))

    @admin.action(description=_("Move to the trash"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """In place of Django's, which promises that they are gone for good."""
        total = queryset.count()
        if "post" in request.POST:
            self.delete_queryset(request, queryset)
            told = ngettext(
                "%(number)s prompt is in the trash.", "%(number)s prompts are in the trash.", total
            )
            self._tell_with_trash(request, told % {"number": count(total)})
            return None
        shown = queryset.order_by("name").prefetch_related("labels")[:_NAMED]
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Move to the trash"),
            "opts": self.opts,
            "prompts": [(one.name, sorted(label.name for label in one.labels.all())) for one in shown],
            "total": total,
            "more": max(0, total - _NAMED),
            "selected": request.POST.getlist("_selected_action"),
            "selects_all": request.POST.get("select_across", ""),
        }
        return TemplateResponse(request, "admin/prompts/prompt/delete_selected.html", context)

    @action(description=_("Trash"), url_path="trash", permissions=["view"], icon="delete")
    def trash_page(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(trash_url())

    @admin.action(description=_("Restore"), permissions=["delete"])
    def restore(self, request: HttpRequest, queryset: QuerySet) -> None:
        restored = list(queryset)
        for prompt in restored:
            check_owner(_actor(request), prompt)
            trash.restore_prompt(prompt, actor=_actor(request))
        if len(restored) == 1:
            self.message_user(request, _back(restored[0]), messages.SUCCESS)
            return
        told = ngettext("%(number)s prompt restored.", "%(number)s prompts restored.", len(restored))
        self.message_user(request, told % {"number": count(len(restored))}, messages.SUCCESS)

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One of them, by the button of its row."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("prompts.delete_prompt"):
            raise PermissionDenied
        prompt = Prompt.everything.exclude(deleted_at=None).filter(pk=object_id).first()
        if prompt is None:
            raise Http404(gettext("There is no such prompt in the trash."))
        if not may_change(_actor(request), prompt):
            raise PermissionDenied
        try:
            with transaction.atomic():
                trash.restore_prompt(prompt, actor=_actor(request))
        except RegistryProblem as problem:
            self.message_user(request, problem.sentence, messages.ERROR)
            return HttpResponseRedirect(trash_url())
        self.message_user(request, _back(prompt), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:prompts_prompt_change", args=[prompt.pk]))

    def _tell_with_trash(self, request: HttpRequest, told: str) -> None:
        said = format_html("{} {}", told, link(trash_url(), gettext("Open the trash")))
        self.message_user(request, said, messages.SUCCESS)


def trash_url() -> str:
    return f"{reverse('admin:prompts_prompt_changelist')}?{TrashFilter.parameter_name}=yes"


def _back(prompt: Prompt) -> SafeString:
    url = reverse("admin:prompts_prompt_labels", args=[prompt.pk])
    name = link(reverse("admin:prompts_prompt_change", args=[prompt.pk]), prompt.name)
    told = gettext("%(name)s is back, with all its versions. Its labels are off:") % {"name": "{}"}
    return format_html(told + " {}", name, link(url, gettext("put them on again")))


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)  # only known users get here
