from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm
from unfold.forms import UserChangeForm as BaseUserChangeForm
from unfold.forms import UserCreationForm as BaseUserCreationForm

from vectors.admin.confirming import TypedDeletion
from vectors.admin.display import Labelled, short_time
from vectors.admin.paging import BoundedPaginator

from ..models import User
from .forms import object_or_empty

admin.site.unregister(Group)


class UserCreationForm(BaseUserCreationForm):
    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ("username", "email")


class UserChangeForm(BaseUserChangeForm):
    class Meta(BaseUserChangeForm.Meta):
        model = User

    def clean_metadata(self) -> Any:
        return object_or_empty(self.cleaned_data["metadata"])


@admin.register(User)
class UserAdmin(TypedDeletion, BaseUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    compressed_fields = True
    show_full_result_count = False
    paginator = BoundedPaginator
    list_display = ("username", "email", "role", "state", "seen", "joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    actions = ("deactivate", "activate")
    search_fields = ("username", "email", "clerk_id")
    ordering = ("username",)
    autocomplete_fields = ("groups",)
    filter_horizontal = ()  # two boxes side by side are wider than a laptop's page
    readonly_fields = ("last_login", "date_joined", "updated_at")
    fieldsets = (
        (None, {"fields": ("username", "email", "password")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Outside"), {"fields": ("clerk_id", "metadata")}),
        (_("Dates"), {"fields": ("last_login", "date_joined", "updated_at")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "username" in form.base_fields and obj is None:
            form.base_fields["username"].initial = ""  # not the random name that plain SQL gets
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may edit users may not thereby give himself all rights."""
        fields = super().get_readonly_fields(request, obj)
        if request.user.is_superuser:
            return fields
        return (*fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("groups")

    def warning_of_deletion(self, obj: Any) -> str:
        return gettext("Take “Is active” off instead, and the prompts stay.")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    @admin.action(description=_("Deactivate"), permissions=["act"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Instead of deleting: logins and keys stop, prompts stay."""
        self._set_active(request, queryset.exclude(pk=request.user.pk), is_active=False)

    @admin.action(description=_("Activate again"), permissions=["act"])
    def activate(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._set_active(request, queryset, is_active=True)

    def _set_active(self, request: HttpRequest, queryset: QuerySet, *, is_active: bool) -> None:
        changed = 0
        for user in queryset.exclude(is_active=is_active):
            if not _may_touch(request, user):
                continue
            user.is_active = is_active
            user.save(update_fields=["is_active", "updated_at"])
            self.log_change(request, user, [{"changed": {"fields": ["Active"]}}])
            changed += 1
        if is_active:
            said = ngettext("%(count)d account works again.", "%(count)d accounts work again.", changed)
        else:
            said = ngettext("%(count)d account is closed.", "%(count)d accounts are closed.", changed)
        self.message_user(request, said % {"count": changed}, messages.SUCCESS)

    @display(description=_("Role"))
    def role(self, user: User) -> str:
        if user.is_superuser:
            return gettext("Superuser")
        return ", ".join(group.name for group in user.groups.all()) or "–"

    @display(
        description=_("State"),
        ordering="is_active",
        label={"staff": "success", "api": "info", "closed": "default"},
    )
    def state(self, user: User) -> Labelled:
        if not user.is_active:
            return Labelled("closed", gettext("closed"))
        if user.is_staff:
            return Labelled("staff", gettext("active"))
        return Labelled("api", gettext("active, without the console"))

    @display(description=_("Last login"), ordering="last_login")
    def seen(self, user: User) -> str:
        return short_time(user.last_login)

    @display(description=_("Joined"), ordering="date_joined")
    def joined(self, user: User) -> str:
        return short_time(user.date_joined)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)


def _may_touch(request: HttpRequest, user: Any) -> bool:
    return request.user.is_superuser or not getattr(user, "is_superuser", False)


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    filter_horizontal = ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        texts = {
            "name": _("Unique, such as Reviewers. Who is put into the group may do what is chosen below.")
        }
        return super().get_form(request, obj, change=change, help_texts=texts, **kwargs)
