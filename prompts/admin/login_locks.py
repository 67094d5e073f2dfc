from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from vectors.admin.calling import call
from vectors.admin.display import Labelled, short_time
from vectors.admin.paging import BoundedPaginator

from ..login_locks import unlocked
from ..models import LoginLock

call(
    LoginLock, _("locked login"), _("locked logins"), address=_("address"), failures=_("wrong passwords"),
    failed_at=_("last wrong password"), locked_until=_("locked until"),
)  # fmt: skip


@admin.register(LoginLock)
class LoginLockAdmin(ModelAdmin):
    """Who typed wrong passwords, and from where. Deleting a row unlocks."""

    empty_help = _(
        "Who types wrong passwords too often is locked out for a while and stands here. Nobody is: "
        "there is nothing to do."
    )
    list_display = ("account", "address", "failures", "state", "failed")
    list_select_related = ("user",)
    list_per_page = 50
    search_fields = ("user__username", "user__email", "address")
    show_full_result_count = False
    paginator = BoundedPaginator
    actions = ("unlock",)
    fields = readonly_fields = ("account", "address", "failures", "state", "failed_at", "locked_until")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: LoginLock) -> None:
        super().delete_model(request, obj)
        unlocked.send(LoginLock, user=obj.user, address=obj.address)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LoginLock]) -> None:
        for lock in queryset.select_related("user"):
            self.delete_model(request, lock)

    def get_actions(self, request: HttpRequest) -> Any:
        """Deleting is what unlocks, so the list calls it that."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description=_("Unlock"), permissions=["delete"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[LoginLock]) -> None:
        count = queryset.count()
        self.log_deletions(request, queryset)
        self.delete_queryset(request, queryset)
        said = ngettext("%(count)d login is unlocked.", "%(count)d logins are unlocked.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)

    @display(description=_("Account"), ordering="user__username")
    def account(self, lock: LoginLock) -> str:
        return lock.user.username if lock.user else gettext("an unknown name")

    @display(description=_("State"), label={"locked": "danger", "open": "success"})
    def state(self, lock: LoginLock) -> Labelled:
        is_locked = lock.locked_until and lock.locked_until > timezone.now()
        return (
            Labelled("locked", gettext("locked"))
            if is_locked
            else Labelled("open", pgettext("login", "open"))
        )

    @display(description=_("Last wrong password"), ordering="failed_at")
    def failed(self, lock: LoginLock) -> str:
        return short_time(lock.failed_at)
