"""Alerts in the console: what was raised, the rules, silences, channels, and what was sent."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from ops.console import actor, page
from ops.webhooks.models import DeliveryStatus
from prompts.admin.logs import LogAdmin
from prompts.models import User
from vectors.admin.calling import call
from vectors.admin.confirming import TypedDeletion
from vectors.admin.display import Labelled, link, short_time

from . import open_page, saving, telling, wording
from .evaluating import is_missing
from .forms import ChannelForm, RuleForm, SilenceForm
from .judging import is_past
from .models import Alert, AlertChannel, AlertNotification, AlertRule, AlertSilence

_SEVERITIES = {"info": "info", "warning": "warning", "critical": "danger"}
_DELIVERIES = {"pending": "warning", "sending": "info", "delivered": "success", "failed": "danger"}


call(
    Alert, _("alert"), _("alerts"), rule_name=_("rule"), started_at=_("started"),
    cleared_at=_("over since"), note=_("note"), acknowledged_at=_("acknowledged"),
)  # fmt: skip
call(
    AlertRule, _("alert rule"), _("alert rules"), name=_("name"), comparison=_("comparison"),
    threshold=_("threshold"), clear=_("over at"), for_seconds=_("for seconds"), severity=_("severity"),
    description=_("description"),
)  # fmt: skip
call(
    AlertSilence, _("silence"), _("silences"), rule=_("rule"), starts_at=_("starts"), until=_("until"),
    reason=_("reason"), created_by=_("made by"),
)  # fmt: skip
call(
    AlertChannel, _("alert channel"), _("alert channels"), name=_("name"), kind=_("kind"),
    min_severity=_("least severity"), sends_cleared=_("tells the end"),
    remind_hours=_("reminds every so many hours"),
)  # fmt: skip
call(
    AlertNotification, _("notification"), _("notifications"), event=_("event"), channel=_("channel"),
    attempts=_("attempts"), next_attempt_at=_("next attempt"), delivered_at=_("delivered"),
    response_status=_("answer"), response_excerpt=_("what was answered"), error=_("error"),
    created_at=_("created"),
)  # fmt: skip


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("open")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        return queryset.filter(cleared_at__isnull=self.value() == "open") if self.value() else None


@admin.register(Alert)
class AlertAdmin(LogAdmin):
    empty_help = _(
        "Nothing was out of bounds since AFN watches. Alert rules say what is watched; alert channels "
        "say who is told."
    )
    empty_link = (_("Alert rules"), "admin:ops_alertrule_changelist", "ops.view_alertrule")
    list_display = ("started", "rule_name", "shown_severity", "state", "shown_worst", "lasted", "at_it")
    list_filter = (StateFilter, "severity")
    search_fields = ("rule_name__startswith",)
    list_select_related = ("rule",)
    list_before_template = "admin/ops/alerts_open.html"
    actions = ("acknowledge_these",)
    fields = (
        "rule_name", "shown_severity", "state", "started_at", "cleared_at", "lasted", "note", "shown_value",
        "shown_worst", "shown_last", "limit", "what_to_do", "at_it", "acknowledged_at", "told",
    )  # fmt: skip
    readonly_fields = fields

    def get_urls(self) -> list[Any]:
        own = (("acknowledge", open_page.acknowledge), ("silence", open_page.silence))
        pages = [
            path(f"<str:object_id>/{name}/", page(view, "ops.change_alert", "POST"), name=f"ops_alert_{name}")
            for name, view in own
        ]
        return [*pages, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = open_page.context() if self.has_view_permission(request) else {}
        return super().changelist_view(request, context | (extra_context or {}))

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("ops.change_alert"))

    @admin.action(description=_("Acknowledge"), permissions=["act"])
    def acknowledge_these(self, request: HttpRequest, queryset: QuerySet) -> None:
        user = request.user
        count = sum(saving.acknowledge(alert, user) for alert in queryset if isinstance(user, User))
        said = ngettext(
            "%(count)d acknowledged; nobody is reminded of it.",
            "%(count)d acknowledged; nobody is reminded of them.",
            count,
        )
        self.message_user(request, said % {"count": count}, messages.SUCCESS)

    @display(description=_("Started"), ordering="started_at")
    def started(self, alert: Alert) -> str:
        return short_time(alert.started_at)

    @display(description=_("Severity"), ordering="severity", label=_SEVERITIES)
    def shown_severity(self, alert: Alert) -> Labelled:
        return Labelled(alert.severity, alert.get_severity_display())

    @display(description=_("State"), label={"open": "danger", "over": "success"})
    def state(self, alert: Alert) -> Labelled:
        return Labelled("open", gettext("open")) if alert.is_open else Labelled("over", gettext("over"))

    @display(description=_("When raised"))
    def shown_value(self, alert: Alert) -> str:
        return wording.shown(alert.metric, alert.value)

    @display(description=_("Worst"))
    def shown_worst(self, alert: Alert) -> str:
        return wording.shown(alert.metric, alert.worst)

    @display(description=_("Last"))
    def shown_last(self, alert: Alert) -> str:
        return wording.shown(alert.metric, alert.last)

    @display(description=_("Lasted"))
    def lasted(self, alert: Alert) -> str:
        text = timesince(alert.started_at, alert.cleared_at)
        return gettext("%(time)s so far") % {"time": text} if alert.is_open else text

    @display(description=_("Limit"))
    def limit(self, alert: Alert) -> str:
        return open_page.limit_of(alert.rule) if alert.rule else "–"

    @display(description=_("What to do"))
    def what_to_do(self, alert: Alert) -> str:
        return alert.rule.description if alert.rule else "–"

    @display(description=_("Acknowledged by"))
    def at_it(self, alert: Alert) -> str:
        return alert.acknowledged_by or "–"

    @display(description=_("Told"))
    def told(self, alert: Alert) -> SafeString | str:
        if alert.told_at is None:
            return gettext("not yet: silenced") if alert.is_open else gettext("never: silenced")
        log = f"{reverse('admin:ops_alertnotification_changelist')}?alert__id__exact={alert.pk}"
        return format_html("{} {}", short_time(alert.told_at), link(log, gettext("Notifications")))


@admin.register(AlertRule)
class AlertRuleAdmin(TypedDeletion, ModelAdmin):
    form = RuleForm
    empty_help = _(
        "A rule compares a figure, such as the free disk, with a limit every 30 seconds. Without any "
        "nothing is watched."
    )
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

    @display(description=_("Figure"), ordering="metric")
    def figure(self, rule: AlertRule) -> str:
        return open_page.title_of(rule.metric)

    @display(description=_("Limit"))
    def limit(self, rule: AlertRule) -> str:
        return open_page.limit_of(rule)

    @display(description=_("Over at"))
    def clears(self, rule: AlertRule) -> str:
        return wording.shown(rule.metric, rule.clear)

    @display(description=_("Severity"), ordering="severity", label=_SEVERITIES)
    def shown_severity(self, rule: AlertRule) -> Labelled:
        return Labelled(rule.severity, rule.get_severity_display())

    @display(description=_("Now"))
    def now(self, rule: AlertRule) -> SafeString | str:
        if is_missing(rule, timezone.now()):
            if rule.measured_at is None:
                return gettext("not measured")
            return gettext("not measured since %(time)s") % {"time": short_time(rule.measured_at)}
        if rule.value is None:
            return "–"
        past = is_past(rule, rule.value)
        mark = format_html(' <b class="afn-removed">{}</b>', gettext("past the limit")) if past else ""
        shown = wording.shown(rule.metric, rule.value)
        return format_html("{} ({}){}", shown, short_time(rule.measured_at), mark)


@admin.register(AlertSilence)
class AlertSilenceAdmin(ModelAdmin):
    form = SilenceForm
    empty_help = _(
        "A silence holds messages back for a while, as for a maintenance window. What happens "
        "meanwhile is kept all the same."
    )
    list_display = ("what", "starts_at", "until", "state", "reason", "created_by")
    list_select_related = ("rule",)
    show_full_result_count = False
    actions = ("end_now",)
    readonly_fields = ("created_by",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"starts_at": timezone.now(), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: AlertSilence, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user.get_username()[:255]
        super().save_model(request, obj, form, change)

    @display(description=_("Of"), ordering="rule__name")
    def what(self, one: AlertSilence) -> str:
        return one.rule.name if one.rule else gettext("all rules")

    @display(description=_("State"), label={"silent": "warning", "to come": "info", "over": "default"})
    def state(self, one: AlertSilence) -> Labelled:
        now = timezone.now()
        if one.until <= now:
            return Labelled("over", gettext("over"))
        if one.starts_at > now:
            return Labelled("to come", gettext("to come"))
        return Labelled("silent", gettext("silent"))

    @admin.action(description=_("End now"), permissions=["delete"])
    def end_now(self, request: HttpRequest, queryset: QuerySet) -> None:
        """What has begun ends; what is to come is taken back."""
        now = timezone.now()
        count = 0
        for one in queryset.filter(until__gt=now):
            count += 1
            if one.starts_at >= now:
                one.delete()
            else:
                one.until = now
                one.save(update_fields=["until"])
        said = ngettext("%(count)d silence ended.", "%(count)d silences ended.", count) % {"count": count}
        self.message_user(request, said, messages.SUCCESS)


@admin.register(AlertChannel)
class AlertChannelAdmin(TypedDeletion, ModelAdmin):
    """Addresses are shown as far as their host."""

    form = ChannelForm
    empty_help = _(
        "A channel is told of alerts: Slack, Discord, e-mail, or a program of yours. Without one "
        "alerts are seen only here."
    )
    list_display = ("name", "kind", "where", "min_severity", "enabled", "last", "log")
    list_filter = ("kind", "enabled")
    show_full_result_count = False
    actions = ("send_test",)
    actions_submit_line = ("send_test_of_this",)
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
        # As unfold does after its own save, which would write all columns.
        for button in self.get_actions_submit_line(request, obj.pk) if change else ():
            if button.action_name in request.POST:
                button.method(request, obj)

    @admin.action(description=_("Send a test"), permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet) -> None:
        for channel in queryset:
            self.send_test_of_this(request, channel)

    @action(description=_("Save and send a test"), permissions=["change"])
    def send_test_of_this(self, request: HttpRequest, obj: AlertChannel) -> None:
        telling.send_test(obj, actor=actor(request))
        page = reverse("admin:ops_alertnotification_changelist") + f"?channel__id__exact={obj.pk}"
        said = gettext("A test of “%(name)s” is on the way.") % {"name": obj.name}
        self.message_user(
            request, format_html("{} {}", said, link(page, gettext("Notifications"))), messages.SUCCESS
        )

    @display(description=_("Where to"))
    def where(self, channel: AlertChannel) -> str:
        return channel.shown or "–"

    @display(description=_("Last"), label=_DELIVERIES)
    def last(self, channel: AlertChannel) -> Labelled | str:
        status = getattr(channel, "last_status", None)
        return Labelled(status, str(DeliveryStatus(status).label)) if status else "–"

    @display(description=_("Log"))
    def log(self, channel: AlertChannel) -> SafeString:
        log = reverse("admin:ops_alertnotification_changelist")
        return link(f"{log}?channel__id__exact={channel.pk}", gettext("Notifications"))


@admin.register(AlertNotification)
class AlertNotificationAdmin(LogAdmin):
    """The log: to read."""

    empty_help = _("What was sent to alert channels, and what came back, is kept here. Nothing was sent yet.")
    empty_link = (_("Alert channels"), "admin:ops_alertchannel_changelist", "ops.view_alertchannel")
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

    @display(description=_("Created"), ordering="created_at")
    def created(self, one: AlertNotification) -> str:
        return short_time(one.created_at)

    @display(description=_("About"))
    def about(self, one: AlertNotification) -> str:
        return str(one.facts.get("rule", "–"))

    @display(description=_("State"), label=_DELIVERIES)
    def state(self, one: AlertNotification) -> Labelled:
        return Labelled(one.status, str(DeliveryStatus(one.status).label))

    @display(description=_("What it says"))
    def shown_facts(self, one: AlertNotification) -> SafeString:
        return format_html('<pre class="afn-text">{}</pre>', wording.text_of(one))
