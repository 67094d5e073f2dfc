from datetime import timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from vectors.admin.calling import call
from vectors.admin.confirming import TypedDeletion, is_typed
from vectors.admin.display import Labelled, chips, short_time

from ..errors import RegistryProblem
from ..keys import revoke_key, rotate_key
from ..models import ApiKey
from .forms import ApiKeyForm

call(
    ApiKey, _("API key"), _("API keys"), name=_("name"), user=_("user"), public_key=_("public key"),
    expires_at=_("expires"), last_used_at=_("last used"), created_at=_("created"),
    revoked_at=_("revoked"),
)  # fmt: skip


# Hours for which the old secret works after a rotation.
OVERLAPS: Final[dict[str, Any]] = {
    "0": _("not at all: it leaked"),
    "1": _("1 hour"),
    "24": _("1 day"),
    "168": _("7 days"),
}
_STATES: Final = {"works": _("works"), "revoked": _("revoked"), "expired": _("expired")}


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(_STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        now = timezone.now()
        if self.value() == "revoked":
            return queryset.exclude(revoked_at=None)
        if self.value() == "expired":
            return queryset.filter(revoked_at=None, expires_at__lte=now)
        if self.value() == "works":
            return queryset.filter(revoked_at=None).exclude(expires_at__lte=now)
        return None


@admin.register(ApiKey)
class ApiKeyAdmin(TypedDeletion, ModelAdmin):
    """Issues and revokes keys. Everybody sees his own; superusers see all and issue for others."""

    form = ApiKeyForm
    empty_help = _(
        "An application calls AFN with a key. Give each application a key of its own, so that one can "
        "be revoked alone."
    )
    list_display = ("name", "public_key", "user", "scope_chips", "state", "last_used", "ends", "created")
    list_select_related = ("user",)
    list_filter = (StateFilter,)
    search_fields = ("name", "public_key", "user__username")
    show_full_result_count = False
    autocomplete_fields = ("user",)
    readonly_fields = ("public_key", "state", "last_used_at", "old_secret", "created_at", "revoked_at")
    actions_detail = ("rotate", "revoke")
    add_fieldsets = ((None, {"fields": ("name", "user", "scopes", "expires_at")}),)
    fieldsets = (
        (None, {"fields": ("name", "user", "scopes", "expires_at")}),
        (None, {"fields": ("public_key", "state", "last_used_at", "old_secret", "created_at", "revoked_at")}),
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
        return self._issued(request, obj, vars(obj)["issued_secret"], gettext("API key issued"))

    def _issued(self, request: HttpRequest, key: ApiKey, secret: str, title: str) -> HttpResponse:
        """The one page that ever shows the secret. It is the answer itself, for a redirect would store it."""
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        context |= {"key": key, "secret": secret, "site": request.build_absolute_uri("/").rstrip("/")}
        response = TemplateResponse(request, "admin/prompts/apikey/issued.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def warning_of_deletion(self, obj: Any) -> str:
        return gettext("Revoking it stops it as well, and keeps when it was used.")

    @action(description=_("Rotate"), permissions=["change"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page that asks for how long the old secret goes on to work."""
        key = self._key(request, object_id)
        if request.method == "POST":
            hours = request.POST.get("hours", "")
            if hours not in OVERLAPS:
                messages.error(request, gettext("Choose for how long the old secret works."))
                return HttpResponseRedirect(request.path)
            try:
                secret = rotate_key(key, overlap=timedelta(hours=int(hours)))
            except RegistryProblem as problem:
                messages.error(request, str(problem))
                return HttpResponseRedirect(self._page_of(key))
            self.log_change(request, key, [{"changed": {"fields": ["Secret"]}}])
            return self._issued(request, key, secret, gettext("Secret rotated"))
        return self._asking(
            request, key, "rotate", gettext("Rotate the secret"), {"overlaps": OVERLAPS.items()}
        )

    @action(description=_("Revoke"), permissions=["change"], variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page that asks for the name of the key."""
        key = self._key(request, object_id)
        if request.method == "POST":
            if not is_typed(request, key.name):
                said = gettext("Nothing was revoked: type “%(name)s” into the box to confirm.")
                messages.error(request, said % {"name": key.name})
                return HttpResponseRedirect(request.path)
            if not key.revoked_at:
                revoke_key(key)
                self.log_change(request, key, [{"changed": {"fields": ["Revoked at"]}}])
            messages.success(request, gettext("The key no longer works."))
            return HttpResponseRedirect(self._page_of(key))
        return self._asking(request, key, "revoke", gettext("Revoke the key"))

    def _key(self, request: HttpRequest, object_id: str) -> ApiKey:
        key: ApiKey | None = self.get_object(request, object_id)
        if key is None:
            raise Http404(gettext("There is no such key."))
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        return key

    def _asking(
        self, request: HttpRequest, key: ApiKey, name: str, title: str, more: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": f"{title}: {key.name}"}
        context |= {"key": key, "back": self._page_of(key), **(more or {})}
        return TemplateResponse(request, f"admin/prompts/apikey/{name}.html", context)

    @staticmethod
    def _page_of(key: ApiKey) -> str:
        return reverse("admin:prompts_apikey_change", args=[key.pk])

    @display(description=_("Scopes"))
    def scope_chips(self, key: ApiKey) -> SafeString:
        return chips(key.scopes)

    @display(description=_("Last used"), ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return short_time(key.last_used_at)

    @display(description=_("Created"), ordering="created_at")
    def created(self, key: ApiKey) -> str:
        return short_time(key.created_at)

    @display(description=_("Ends"), ordering="expires_at")
    def ends(self, key: ApiKey) -> str:
        return short_time(key.expires_at) if key.expires_at else gettext("never")

    @display(description=_("The old secret"))
    def old_secret(self, key: ApiKey) -> str:
        if key.previous_until is None or key.previous_until <= timezone.now():
            return "–"
        return gettext("works until %(until)s") % {"until": short_time(key.previous_until)}

    @display(
        description=_("State"),
        label={"works": "success", "revoked": "danger", "expired": "warning", "closed": "warning"},
    )
    def state(self, key: ApiKey) -> Labelled:
        if key.state == "works" and not key.user.is_active:
            return Labelled("closed", gettext("its account is closed"))
        return Labelled(key.state, str(_STATES[key.state]))
