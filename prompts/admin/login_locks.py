from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from vectors.admin.display import short_time

from ..login_locks import unlocked
from ..models import LoginLock


@admin.register(LoginLock)
class LoginLockAdmin(ModelAdmin):
    """Who typed wrong passwords, and from where. Deleting a row unlocks."""

    list_display = ("account", "address", "failures", "state", "failed")
    list_select_related = ("user",)
    list_per_page = 50
    search_fields = ("user__username", "user__email", "address")
    show_full_result_count = False
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

    @display(description="Account", ordering="user__username")
    def account(self, lock: LoginLock) -> str:
        return lock.user.username if lock.user else "an unknown name"

    @display(description="State", label={"locked": "danger", "open": "success"})
    def state(self, lock: LoginLock) -> str:
        return "locked" if lock.locked_until and lock.locked_until > timezone.now() else "open"

    @display(description="Last wrong password", ordering="failed_at")
    def failed(self, lock: LoginLock) -> str:
        return short_time(lock.failed_at)
