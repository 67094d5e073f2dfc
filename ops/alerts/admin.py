"""Alerts in the console: what was raised, the rules, silences, channels, and what was sent."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.admin import ModelAdmin
from unfold.decorators import display

from ops.webhooks.models import DeliveryStatus
from prompts.admin.logs import LogAdmin
from prompts.models import User
from vectors.admin.display import link, short_time

from . import saving, telling, wording
from .evaluating import is_missing
from .forms import ChannelForm, RuleForm, SilenceForm
from .models import Alert, AlertChannel, AlertNotification, AlertRule, AlertSilence

_SEVERITIES = {"info": "info", "warning": "warning", "critical": "danger"}
_DELIVERIES = {"waits": "warning", "being sent": "info", "delivered": "success", "given up": "danger"}


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "open"), ("over", "over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        return queryset.filter(cleared_at__isnull=self.value() == "open") if self.value() else None


@admin.register(Alert)
class AlertAdmin(LogAdmin):
    list_display = ("started", "rule_name", "shown_severity", "state", "shown_worst", "lasted", "at_it")
    list_filter = (StateFilter, "severity")
    search_fields = ("rule_name__startswith",)
    list_select_related = ("rule",)
    actions = ("acknowledge_these",)
    fields = (
        "rule_name", "shown_severity", "state", "started_at", "cleared_at", "lasted", "note", "shown_value",
        "shown_worst", "shown_last", "limit", "what_to_do", "at_it", "acknowledged_at", "told",
    )  # fmt: skip
    readonly_fields = fields

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("ops.change_alert"))

    @admin.action(description="Acknowledge", permissions=["act"])
    def acknowledge_these(self, request: HttpRequest, queryset: QuerySet) -> None:
        user = request.user
        count = sum(saving.acknowledge(alert, user) for alert in queryset if isinstance(user, User))
        self.message_user(request, f"{count} acknowledged; nobody is reminded of them.", messages.SUCCESS)

    @display(description="Started", ordering="started_at")
    def started(self, alert: Alert) -> str:
        return short_time(alert.started_at)

    @display(description="Severity", ordering="severity", label=_SEVERITIES)
    def shown_severity(self, alert: Alert) -> str:
        return alert.severity

    @display(description="State", label={"open": "danger", "over": "success"})
    def state(self, alert: Alert) -> str:
        return "open" if alert.is_open else "over"

    @display(description="When raised")
    def shown_value(self, alert: Alert) -> str:
        return wording.shown(alert.metric, alert.value)

    @display(description="Worst")
    def shown_worst(self, alert: Alert) -> str:
        return wording.shown(alert.metric, alert.worst)

    @display(description="Last")
    def shown_last(self, alert: Alert) -> str:
        return wording.shown(alert.metric, alert.last)

    @display(description="Lasted")
    def lasted(self, alert: Alert) -> str:
        text = timesince(alert.started_at, alert.cleared_at)
        return f"{text} so far" if alert.is_open else text

    @display(description="Limit")
    def limit(self, alert: Alert) -> str:
        return wording.limit_of(alert.rule) if alert.rule else "–"

    @display(description="What to do")
    def what_to_do(self, alert: Alert) -> str:
        return alert.rule.description if alert.rule else "–"

    @display(description="Acknowledged by")
    def at_it(self, alert: Alert) -> str:
        return alert.acknowledged_by or "–"

    @display(description="Told")
    def told(self, alert: Alert) -> SafeString | str:
        if alert.told_at is None:
            return "not yet: silenced" if alert.is_open else "never: silenced"
        log = f"{reverse('admin:ops_alertnotification_changelist')}?alert__id__exact={alert.pk}"
        return format_html("{} {}", short_time(alert.told_at), link(log, "Notifications"))


@admin.register(AlertRule)
class AlertRuleAdmin(ModelAdmin):
    form = RuleForm
    list_display = ("name", "figure", "limit", "clears", "shown_severity", "enabled", "now")
    list_filter = ("severity", "enabled")
    search_fields = ("name", "metric__startswith")
    show_full_result_count = False
    list_per_page = 100

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of another figure the alerts of before would say nothing."""
        return () if obj is None else ("metric", "now")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = RuleForm.Meta.fields
        return fields if obj is None else (*fields, "now")

    def save_model(self, request: HttpRequest, obj: AlertRule, form: Any, change: bool) -> None:
        saving.save_rule(obj, list(form.changed_data))

    @display(description="Figure", ordering="metric")
    def figure(self, rule: AlertRule) -> str:
        return rule.metric

    @display(description="Limit")
    def limit(self, rule: AlertRule) -> str:
        return wording.limit_of(rule)

    @display(description="Over at")
    def clears(self, rule: AlertRule) -> str:
        return wording.shown(rule.metric, rule.clear)

    @display(description="Severity", ordering="severity", label=_SEVERITIES)
    def shown_severity(self, rule: AlertRule) -> str:
        return rule.severity

    @display(description="Now")
    def now(self, rule: AlertRule) -> str:
        if is_missing(rule, timezone.now()):
            since = f" since {short_time(rule.measured_at)}" if rule.measured_at else ""
            return f"not measured{since}"
        if rule.value is None:
            return "–"
        return f"{wording.shown(rule.metric, rule.value)} ({short_time(rule.measured_at)})"


@admin.register(AlertSilence)
class AlertSilenceAdmin(ModelAdmin):
    form = SilenceForm
    list_display = ("what", "starts_at", "until", "state", "reason", "created_by")
    list_select_related = ("rule",)
    show_full_result_count = False
    readonly_fields = ("created_by",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"starts_at": timezone.now(), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: AlertSilence, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user.get_username()[:255]
        super().save_model(request, obj, form, change)

    @display(description="Of", ordering="rule__name")
    def what(self, one: AlertSilence) -> str:
        return one.rule.name if one.rule else "all rules"

    @display(description="State", label={"silent": "warning", "to come": "info", "over": "default"})
    def state(self, one: AlertSilence) -> str:
        now = timezone.now()
        return "over" if one.until <= now else "to come" if one.starts_at > now else "silent"


@admin.register(AlertChannel)
class AlertChannelAdmin(ModelAdmin):
    """Addresses are shown as far as their host."""

    form = ChannelForm
    list_display = ("name", "kind", "where", "min_severity", "enabled", "last", "log")
    list_filter = ("kind", "enabled")
    show_full_result_count = False
    actions = ("send_test",)
    fields = (
        "name", "kind", "url", "secret", "addresses", "min_severity", "enabled", "sends_cleared",
        "remind_hours",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        newest = AlertNotification.objects.filter(channel=OuterRef("pk")).order_by("-created_at", "-id")
        return (
            super()
            .get_queryset(request)
            .annotate(
                last_status=Subquery(newest.values("status")[:1]),
                last_error=Subquery(newest.values("error")[:1]),
            )
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return (
                "name",
                "kind",
                "where",
                "min_severity",
                "enabled",
                "sends_cleared",
                "remind_hours",
                "last",
            )
        return self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("where", "last")

    def save_model(self, request: HttpRequest, obj: AlertChannel, form: Any, change: bool) -> None:
        saved = saving.save_channel(
            AlertChannel.objects.get(pk=obj.pk) if change else AlertChannel(pk=obj.pk), form.values()
        )
        vars(obj).update({name: value for name, value in vars(saved).items() if name != "_state"})
        obj._state.adding = False

    @admin.action(description="Send a test", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet) -> None:
        user = request.user if isinstance(request.user, User) else None
        sent = [telling.send_test(channel, actor=user) for channel in queryset]
        self.message_user(request, f"{len(sent)} on the way; see the notifications.", messages.SUCCESS)

    @display(description="Where to")
    def where(self, channel: AlertChannel) -> str:
        return channel.shown or "–"

    @display(description="Last", label=_DELIVERIES)
    def last(self, channel: AlertChannel) -> str:
        status = getattr(channel, "last_status", None)
        return str(DeliveryStatus(status).label) if status else "–"

    @display(description="Log")
    def log(self, channel: AlertChannel) -> SafeString:
        page = reverse("admin:ops_alertnotification_changelist")
        return link(f"{page}?channel__id__exact={channel.pk}", "Notifications")


@admin.register(AlertNotification)
class AlertNotificationAdmin(LogAdmin):
    """The log: to read."""

    list_display = ("created", "event", "about", "channel", "state", "attempts", "response_status", "error")
    list_filter = ("status", "channel", "event")
    list_select_related = ("channel",)
    fields = (
        "event", "about", "channel", "state", "attempts", "next_attempt_at", "delivered_at",
        "response_status", "response_excerpt", "error", "shown_facts", "created_at",
    )  # fmt: skip
    readonly_fields = fields

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "alert__id__exact" or super().lookup_allowed(lookup, value, request)

    @display(description="Created", ordering="created_at")
    def created(self, one: AlertNotification) -> str:
        return short_time(one.created_at)

    @display(description="About")
    def about(self, one: AlertNotification) -> str:
        return str(one.facts.get("rule", "–"))

    @display(description="State", label=_DELIVERIES)
    def state(self, one: AlertNotification) -> str:
        return str(DeliveryStatus(one.status).label)

    @display(description="What it says")
    def shown_facts(self, one: AlertNotification) -> SafeString:
        return format_html('<pre class="afn-text">{}</pre>', wording.text_of(one))
