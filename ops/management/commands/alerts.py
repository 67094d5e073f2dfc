import json
import re
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import CommandError
from django.utils import timezone

from ops.alerts import delivering, evaluating, saving, telling, wording
from ops.alerts.models import Alert, AlertChannel, AlertNotification, AlertRule
from ops.alerts.schemas import AlertOut
from ops.audit.context import origin
from ops.webhooks.models import DeliveryStatus
from prompts.errors import RegistryProblem
from vectors import commands

MAX_LIMIT: Final = 10_000
_UNITS: Final = {"m": 60, "h": 3_600, "d": 86_400}


class Command(commands.Command):
    help = "List alerts and rules, look at the figures now, silence rules for a while, try a channel."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION", help="list (default), rules, …")
        parser.set_defaults(action="list", all=False, limit=20, json=False)
        found = actions.add_parser("list", help="the alerts that are open")
        found.add_argument("--all", action="store_true", help="those that are over, too")
        found.add_argument("--limit", type=int, default=20, help="how many (default: 20)")
        rules = actions.add_parser("rules", help="the rules, with their figures as of the last look")
        look = actions.add_parser("look", help="look at the figures now, raise, clear and send")
        silence = actions.add_parser("silence", help="send nothing for a while")
        silence.add_argument("--rule", help="name of a rule; all without it, as for a maintenance window")
        silence.add_argument("--for", dest="span", required=True, help="how long, such as 30m, 2h or 7d")
        silence.add_argument("--reason", required=True, help="why")
        test = actions.add_parser("test", help="send something to try a channel")
        test.add_argument("channel", help="name of a channel")
        for one in (found, rules, look, silence, test):
            one.add_argument("--json", action="store_true", help="print JSON, one object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except RegistryProblem as problem:
            raise CommandError(str(problem)) from problem

    def _list(self, options: dict[str, Any]) -> None:
        if not 1 <= options["limit"] <= MAX_LIMIT:
            raise CommandError(f"--limit: expected 1 to {MAX_LIMIT:,}, got {options['limit']}.")
        rows = Alert.objects.all() if options["all"] else Alert.objects.filter(cleared_at=None)
        for alert in rows[: options["limit"]]:
            if options["json"]:
                self._print_json(AlertOut.from_orm(alert).model_dump(mode="json"))
                continue
            over = f"over {alert.cleared_at:%Y-%m-%d %H:%M:%S}" if alert.cleared_at else "open"
            facts = [
                f"{alert.started_at:%Y-%m-%d %H:%M:%S}", over, alert.severity, alert.rule_name,
                wording.shown(alert.metric, alert.last), f"worst {wording.shown(alert.metric, alert.worst)}",
                alert.note, f"acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else "",
            ]  # fmt: skip
            self.stdout.write("  ".join(fact for fact in facts if fact))

    def _rules(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        for rule in AlertRule.objects.all():
            missing = evaluating.is_missing(rule, now)
            if options["json"]:
                names = ("name", "metric", "comparison", "threshold", "clear", "for_seconds", "severity",
                         "enabled", "description", "value")  # fmt: skip
                at = rule.measured_at.isoformat() if rule.measured_at else None
                facts = {name: getattr(rule, name) for name in names}
                self._print_json(facts | {"measured_at": at, "is_missing": missing})
                continue
            value = "–" if rule.value is None else wording.shown(rule.metric, rule.value)
            state = "off" if not rule.enabled else "not measured" if missing else value
            self.stdout.write(
                f"{rule.name}  {rule.metric} {wording.limit_of(rule)}  {rule.severity}  now: {state}"
            )

    def _look(self, options: dict[str, Any]) -> None:
        done = evaluating.look()
        sent, failed = delivering.send_due()
        if options["json"]:
            facts = {"raised": done.raised, "cleared": done.cleared, "sent": sent, "failed": failed}
            self._print_json(facts)
        else:
            self.stdout.write(f"{done.raised} raised, {done.cleared} cleared, {sent} sent, {failed} failed.")

    def _silence(self, options: dict[str, Any]) -> None:
        rule = None
        if options["rule"] is not None:
            rule = AlertRule.objects.filter(name=options["rule"]).first()
            if rule is None:
                names = ", ".join(AlertRule.objects.values_list("name", flat=True)[:20]) or "none"
                raise CommandError(
                    f"--rule: expected the name of a rule, got {options['rule'][:100]!r}. There are: {names}."
                )
        until = timezone.now() + _span(options["span"])
        made = saving.silence(rule, until, options["reason"], by=origin().who()[1])
        if options["json"]:
            name = rule.name if rule else None
            self._print_json({"id": made.pk, "rule": name, "until": made.until.isoformat()})
        else:
            self.stdout.write(f"Silent: {made}.")

    def _test(self, options: dict[str, Any]) -> None:
        channel = AlertChannel.objects.filter(name=options["channel"]).first()
        if channel is None:
            names = ", ".join(AlertChannel.objects.values_list("name", flat=True)) or "none"
            raise CommandError(
                f"channel: expected the name of one, got {options['channel'][:100]!r}. There are: {names}."
            )
        made = telling.send_test(channel, actor=None)
        delivering.deliver(made.pk)
        made = AlertNotification.objects.get(pk=made.pk)
        if options["json"]:
            self._print_json({"channel": channel.name, "status": made.status, "error": made.error})
        if made.status == DeliveryStatus.FAILED:
            raise CommandError(f"{channel.name}: {made.error}.")
        if not options["json"]:
            self.stdout.write(f"{channel.name}: {made.status}.")

    def _print_json(self, facts: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(facts, ensure_ascii=False))


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,4})([mhd])", text.strip())
    if match is None or not int(match[1]):
        raise CommandError(f"--for: expected a time such as 30m, 2h or 7d, got {text[:40]!r}.")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
