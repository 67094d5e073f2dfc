"""Webhooks and the log of their deliveries in the console."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from ops.console import actor
from prompts.admin.logs import LogAdmin
from prompts.errors import RegistryProblem
from vectors.admin.calling import call
from vectors.admin.confirming import TypedDeletion
from vectors.admin.display import Labelled, chips, count, link, short_time

from . import saving
from .forms import WebhookForm
from .models import Delivery, DeliveryStatus, Webhook

OVERLAP = timedelta(hours=24)
_COLOURS = {"works": "success", "paused": "danger", "failing": "warning", "off": "default"}


call(
    Webhook, _("webhook"), _("webhooks"), name=_("name"), format=_("format"), shown_url=_("where to"),
    kinds=_("events"), folder=_("folder"), label=_("label"), is_active=_("on"),
    old_secret_until=_("old secret until"), created_by=_("made by"), created_at=_("created"),
)  # fmt: skip
call(
    Delivery, _("delivery"), _("deliveries"), webhook=_("webhook"), replay=_("replay"),
    attempts=_("attempts"), next_attempt_at=_("next attempt"), delivered_at=_("delivered"),
    response_status=_("answer"), response_excerpt=_("what was answered"), error=_("error"),
    created_at=_("created"),
)  # fmt: skip


@admin.register(Webhook)
class WebhookAdmin(TypedDeletion, ModelAdmin):
    """Secrets are shown once, addresses as far as their host."""

    form = WebhookForm
    empty_help = _(
        "A webhook tells another program when a label moves or a version is saved, so that it need not ask."
    )
    list_display = ("name", "shown_url", "format", "kind_chips", "state", "log")
    list_filter = ("format", "is_active", ("paused_at", admin.EmptyFieldListFilter))
    search_fields = ("name",)
    show_full_result_count = False
    actions = ("ping", "resume")
    actions_submit_line = ("rotate_secret",)
    readonly_fields = ("state", "why", "old_secret_until", "created_by", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "url", "format", "kinds", "folder", "label", "is_active")}),
        (None, {"fields": ("state", "why", "old_secret_until", "created_by", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "url", "format", "kinds", "folder", "label", "is_active")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if self.has_change_permission(request, obj) or obj is None else (*fields, "shown_url")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        # The next page is the one with the secret: the other buttons would promise something else.
        buttons = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**(extra_context or {}), **buttons})

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if change:
            saving.change_webhook(Webhook.objects.get(pk=obj.pk), form.values())
            # As unfold does after its own save, which would write all columns.
            for button in self.get_actions_submit_line(request, obj.pk):
                if button.action_name in request.POST:
                    button.method(request, obj)
            return
        issued = saving.create_webhook(form.values(), actor=actor(request))
        # For the answer below, and gone after it.
        vars(obj).update(vars(issued.webhook), issued_secret=issued.secret)

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: Any = None) -> HttpResponse:
        return self._issued(request, obj, vars(obj)["issued_secret"], gettext("Webhook created"))

    def response_change(self, request: HttpRequest, obj: Webhook) -> HttpResponse:
        secret = vars(obj).pop("issued_secret", None)
        if secret is None:
            return super().response_change(request, obj)
        return self._issued(request, obj, secret, gettext("Secret rotated"))

    def _issued(self, request: HttpRequest, webhook: Webhook, secret: str, title: str) -> HttpResponse:
        """The one page that ever shows the secret. It is the answer itself, for a redirect would store it."""
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        context |= {"webhook": webhook, "secret": secret}
        response = TemplateResponse(request, "admin/ops/webhook/issued.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @display(description=_("Events"))
    def kind_chips(self, webhook: Webhook) -> SafeString:
        return chips(webhook.kinds or [gettext("all")])

    @display(description=_("State"), label=_COLOURS)
    def state(self, webhook: Webhook) -> Labelled:
        if not webhook.is_active:
            return Labelled("off", gettext("off"))
        if webhook.paused_at:
            return Labelled("paused", gettext("paused"))
        if webhook.failing_since:
            return Labelled("failing", gettext("failing"))
        return Labelled("works", gettext("works"))

    @display(description=_("Paused because"))
    def why(self, webhook: Webhook) -> str:
        return webhook.paused_reason or "–"

    @display(description=_("Log"))
    def log(self, webhook: Webhook) -> SafeString:
        return link(
            f"{reverse('admin:ops_delivery_changelist')}?webhook__id__exact={webhook.pk}",
            gettext("Deliveries"),
        )

    @admin.action(description=_("Send a ping"), permissions=["change"])
    def ping(self, request: HttpRequest, queryset: QuerySet) -> None:
        pinged = [saving.ping(webhook, actor=actor(request)) for webhook in queryset]
        said = ngettext(
            "%(count)d ping is on the way; see the deliveries.",
            "%(count)d pings are on the way; see the deliveries.",
            len(pinged),
        )
        self.message_user(request, said % {"count": len(pinged)}, messages.SUCCESS)

    @admin.action(description=_("Resume after a pause"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet) -> None:
        resumed = [
            saving.change_webhook(webhook, {}, resume=True) for webhook in queryset.exclude(paused_at=None)
        ]
        said = ngettext(
            "%(count)d webhook resumed; what has waited is sent.",
            "%(count)d webhooks resumed; what has waited is sent.",
            len(resumed),
        )
        self.message_user(request, said % {"count": len(resumed)}, messages.SUCCESS)

    @action(description=_("Rotate the secret"), permissions=["change"], variant=ActionVariant.DANGER)
    def rotate_secret(self, request: HttpRequest, obj: Webhook) -> None:
        """For a day the old one signs as well; the API can set another time."""
        issued = saving.rotate_secret(obj, OVERLAP)
        vars(obj).update(old_secret_until=issued.webhook.old_secret_until, issued_secret=issued.secret)


@admin.register(Delivery)
class DeliveryAdmin(LogAdmin):
    """The log: to read, and to send again."""

    empty_help = _("What was sent to webhooks, and what came back, is kept here. Nothing was sent yet.")
    empty_link = (_("Webhooks"), "admin:ops_webhook_changelist", "ops.view_webhook")
    list_display = (
        "created",
        "event_kind",
        "webhook",
        "state",
        "attempts",
        "response_status",
        "took",
        "error",
    )
    list_filter = ("status", "webhook")
    list_select_related = ("webhook", "event")
    search_fields = ("event__id__exact", "event__prompt_name__startswith")
    actions = ("replay_these",)
    fields = (
        "webhook", "event_kind", "event_key", "prompt", "state", "replay", "attempts", "next_attempt_at",
        "delivered_at", "response_status", "response_excerpt", "took", "error", "created_at",
    )  # fmt: skip
    readonly_fields = fields

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("ops.change_webhook"))

    @admin.action(description=_("Send again"), permissions=["replay"])
    def replay_these(self, request: HttpRequest, queryset: QuerySet) -> None:
        sent = 0
        for delivery in queryset.select_related("webhook"):
            try:
                saving.replay(delivery)
                sent += 1
            except RegistryProblem as problem:
                messages.error(request, f"{delivery.event.kind}: {problem}")
        if sent:
            said = ngettext("%(count)d delivery is on the way.", "%(count)d deliveries are on the way.", sent)
            self.message_user(request, said % {"count": sent}, messages.SUCCESS)

    @display(description=_("Created"), ordering="created_at")
    def created(self, delivery: Delivery) -> str:
        return short_time(delivery.created_at)

    @display(description=_("Event"))
    def event_kind(self, delivery: Delivery) -> str:
        if not delivery.replay:
            return delivery.event.kind
        values = {"kind": delivery.event.kind, "number": delivery.replay}
        return gettext("%(kind)s (replay %(number)s)") % values

    @display(description=_("Event id"))
    def event_key(self, delivery: Delivery) -> SafeString:
        return format_html("<code>{}</code>", delivery.event_id)

    @display(description=_("Prompt"))
    def prompt(self, delivery: Delivery) -> str:
        return delivery.event.prompt_name or "–"

    @display(
        description=_("State"),
        label={"pending": "warning", "sending": "info", "delivered": "success", "failed": "danger"},
    )
    def state(self, delivery: Delivery) -> Labelled:
        return Labelled(delivery.status, str(DeliveryStatus(delivery.status).label))

    @display(description=_("Took"))
    def took(self, delivery: Delivery) -> str:
        return "–" if delivery.duration_ms is None else f"{count(round(delivery.duration_ms))} ms"
