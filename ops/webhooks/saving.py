"""Making and changing webhooks as people mean it: checked, sealed, and all that waits started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from ops.audit.recording import record
from ops.outbox.models import OutboxEvent
from ops.outbox.recording import start_on_commit
from prompts.errors import NotThere, Refused
from prompts.events import Kind
from prompts.models import User
from prompts.validators import validate_label
from vectors import outgoing

from . import signing
from .errors import WebhookProblem
from .models import MAX_WEBHOOKS, Delivery, DeliveryStatus, Format, Webhook
from .sealing import seal

KINDS: Final[tuple[str, ...]] = get_args(Kind)
MAX_OVERLAP: Final = timedelta(days=7)
MAX_REPLAYS: Final = 100
_FOLDER: Final = re.compile(r"[^/\s|][^/|]*(?:/[^/|]+)*")
_PAUSE: Final = ("paused_at", "paused_reason", "failing_since")
# What `change_webhook` takes; `url` is checked and sealed.
FIELDS: Final = ("name", "url", "format", "kinds", "folder", "label", "is_active")


@dataclass(frozen=True, slots=True)
class Issued:
    """A webhook with its secret, which is shown this once."""

    webhook: Webhook
    secret: str


def create_webhook(values: Mapping[str, Any], *, actor: User | None) -> Issued:
    """Raises ``WebhookProblem``, ``OutgoingRefused`` or ``ValidationError`` by field."""
    secret = signing.new_secret()
    with transaction.atomic():
        if Webhook.objects.count() >= MAX_WEBHOOKS:
            raise Refused("name", f"at most {MAX_WEBHOOKS} webhooks", "one more", "Delete one of them.")
        webhook = Webhook(created_by=actor, created_at=timezone.now(), sealed_secret=seal(secret))
        _apply(webhook, values)
        webhook.save(force_insert=True)
    return Issued(webhook, secret)


def change_webhook(webhook: Webhook, values: Mapping[str, Any], *, resume: bool = False) -> Webhook:
    """Change the fields that `values` names; `resume` ends a pause. Raises as `create_webhook`."""
    with transaction.atomic():
        _apply(webhook, values)
        if resume:
            webhook.paused_at, webhook.paused_reason, webhook.failing_since = None, "", None
        webhook.save(update_fields=[*_fields(values), *(_PAUSE if resume else ()), "updated_at"])
        start_on_commit()
    return webhook


def rotate_secret(webhook: Webhook, overlap: timedelta, *, now: datetime | None = None) -> Issued:
    """A new secret; for `overlap` the old one signs as well, so that receivers can change over in peace."""
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise WebhookProblem("overlap_hours", "0 to 168 hours", f"{overlap.total_seconds() / 3600:g}")
    secret = signing.new_secret()
    with transaction.atomic():
        stored = Webhook.objects.filter(pk=webhook.pk).first()
        if stored is None:
            raise NotThere("id", "the id of a webhook", repr(webhook.pk))
        changed = Webhook.objects.filter(pk=stored.pk, sealed_secret=stored.sealed_secret).update(
            sealed_secret=seal(secret),
            sealed_old_secret=stored.sealed_secret if overlap else "",
            old_secret_until=(now or timezone.now()) + overlap if overlap else None,
            updated_at=timezone.now(),
        )
        if changed != 1:
            raise Refused(
                "id", "a webhook that nobody else changes", "one whose secret has just been rotated"
            )
        hours = overlap.total_seconds() / 3600
        record(
            "webhook.rotated", kind="ops.webhook", key=stored.pk, name=stored.name,
            changes={"overlap_hours": hours},
        )  # fmt: skip
    webhook.refresh_from_db()
    return Issued(webhook, secret)


def ping(webhook: Webhook, *, actor: User | None) -> Delivery:
    """Have something sent that says nothing, once, also to one that is paused or switched off."""
    now = timezone.now()
    with transaction.atomic():
        event = OutboxEvent.objects.create(
            kind="ping",
            actor_id=actor.pk if actor else "",
            actor_name=actor.username if actor else "",
            data={"webhook": webhook.name},
            happened_at=now,
            relayed_at=now,
        )
        delivery = Delivery.objects.create(webhook=webhook, event=event, next_attempt_at=now)
        record("webhook.pinged", kind="ops.webhook", key=webhook.pk, name=webhook.name)
        start_on_commit()
    return delivery


def replay(delivery: Delivery) -> Delivery:
    """Send the event again, as a delivery of its own. Raises ``Refused`` while the old one is under way."""
    now = timezone.now()
    with transaction.atomic():
        others = Delivery.objects.filter(webhook=delivery.webhook_id, event=delivery.event_id)
        if others.filter(status__in=(DeliveryStatus.PENDING, DeliveryStatus.SENDING)).exists():
            raise Refused(
                "id", "a delivery that is over", "one of an event that still waits or is being sent"
            )
        number = (others.aggregate(highest=Max("replay"))["highest"] or 0) + 1
        if number > MAX_REPLAYS:
            raise Refused("id", f"an event that was replayed at most {MAX_REPLAYS} times", str(number))
        made = Delivery.objects.create(
            webhook_id=delivery.webhook_id, event_id=delivery.event_id, replay=number, next_attempt_at=now
        )
        name = delivery.webhook.name
        record("delivery.replayed", kind="ops.delivery", key=made.pk, name=name, changes={"replay": number})
        start_on_commit()
    return made


def check_values(webhook: Webhook, values: Mapping[str, Any]) -> None:
    """Would the webhook be acceptable with these? Raises as `create_webhook`; the object is changed."""
    _apply(webhook, values)


def _fields(values: Mapping[str, Any]) -> list[str]:
    """The columns of these fields and no others: whoever rotates the secret meanwhile is not undone."""
    names = [name for name in values if name in FIELDS and name != "url"]
    return [*names, "sealed_url", "shown_url"] if "url" in values else names


def _apply(webhook: Webhook, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name == "url":
            outgoing.check_url(value, "url")
            webhook.sealed_url, webhook.shown_url = seal(value), shown(value)
        elif name in FIELDS:
            setattr(webhook, name, value)
    _check(webhook)


def _check(webhook: Webhook) -> None:
    if not webhook.sealed_url:
        raise WebhookProblem("url", "a URL such as https://example.org/path", "none")
    if webhook.format not in Format.values:
        raise WebhookProblem("format", ", ".join(Format.values), repr(str(webhook.format)[:40]))
    if not 1 <= len(webhook.name.strip()) <= 100 or not webhook.name.isprintable():
        raise WebhookProblem("name", "1 to 100 printable characters", repr(webhook.name[:40]))
    unknown = [kind for kind in webhook.kinds if kind not in KINDS]
    if unknown:
        raise WebhookProblem("kinds", ", ".join(KINDS), repr(str(unknown[0])[:40]))
    webhook.kinds = list(dict.fromkeys(webhook.kinds))
    webhook.folder = webhook.folder.strip("/")
    if webhook.folder and (len(webhook.folder) > 255 or not _FOLDER.fullmatch(webhook.folder)):
        raise WebhookProblem("folder", "a folder such as support/email", repr(webhook.folder[:40]))
    if webhook.label:
        try:
            validate_label(webhook.label)
        except ValidationError as error:
            raise ValidationError({"label": error.messages}) from error
    webhook.full_clean(exclude=[field.name for field in Webhook._meta.fields if field.name not in FIELDS])


def shown(url: str) -> str:
    """What may be shown of an address: the host. Paths and queries are secrets with Slack and many others."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"[:300]
