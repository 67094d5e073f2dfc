from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from vectors.admin.display import chips, short_time

from ..keys import revoke_key
from ..models import ApiKey
from .forms import ApiKeyForm


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """Issues and revokes keys. Everybody sees his own; superusers see all and issue for others."""

    form = ApiKeyForm
    list_display = ("name", "public_key", "user", "scope_chips", "state", "last_used", "created")
    list_select_related = ("user",)
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "public_key", "user__username")
    show_full_result_count = False
    autocomplete_fields = ("user",)
    readonly_fields = ("public_key", "state", "last_used_at", "created_at", "revoked_at")
    actions = ("revoke",)
    actions_submit_line = ("revoke_this",)
    add_fieldsets = ((None, {"fields": ("name", "user", "scopes", "expires_at")}),)
    fieldsets = (
        (None, {"fields": ("name", "user", "scopes", "expires_at")}),
        (None, {"fields": ("public_key", "state", "last_used_at", "created_at", "revoked_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        keys = super().get_queryset(request)
        return keys if request.user.is_superuser else keys.filter(user=request.user)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser and obj is None else (*fields, "user")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None and not request.user.is_superuser:
            return ((None, {"fields": ("name", "scopes", "expires_at")}),)
        return super().get_fieldsets(request, obj)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        # The next page is the one with the secret: the other buttons would promise something else.
        buttons = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**(extra_context or {}), **buttons})

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        user: Any = obj.user if obj.user_id else request.user
        key, secret = ApiKey.issue(user, obj.name, obj.scopes, obj.expires_at)
        vars(obj).update(vars(key), issued_secret=secret)  # for the answer below, and gone after it

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        """The one page that ever shows the secret. It is the answer itself, for a redirect would store it."""
        response = TemplateResponse(
            request,
            "admin/prompts/apikey/issued.html",
            {
                **self.admin_site.each_context(request),
                "title": "API key issued",
                "opts": self.opts,
                "key": obj,
                "secret": vars(obj)["issued_secret"],
            },
        )
        response["Cache-Control"] = "no-store"
        return response

    @display(description="Scopes")
    def scope_chips(self, key: ApiKey) -> SafeString:
        return chips(key.scopes)

    @display(description="Last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return short_time(key.last_used_at)

    @display(description="Created", ordering="created_at")
    def created(self, key: ApiKey) -> str:
        return short_time(key.created_at)

    @display(description="State", label={"works": "success", "revoked": "danger", "expired": "warning"})
    def state(self, key: ApiKey) -> str:
        return key.state

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet) -> None:
        keys = list(queryset.filter(revoked_at=None))
        for key in keys:
            self._revoke(request, key)
        self.message_user(
            request, f"{len(keys)} key{'' if len(keys) == 1 else 's'} revoked.", messages.SUCCESS
        )

    @action(description="Revoke", permissions=["change"], variant=ActionVariant.DANGER)
    def revoke_this(self, request: HttpRequest, obj: ApiKey) -> None:
        if not obj.revoked_at:
            self._revoke(request, obj)
            self.message_user(request, "The key no longer works.", messages.SUCCESS)

    def _revoke(self, request: HttpRequest, key: ApiKey) -> None:
        revoke_key(key)
        self.log_change(request, key, [{"changed": {"fields": ["Revoked at"]}}])
