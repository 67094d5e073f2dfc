"""What alerts tell whoever listens."""

from django.db import transaction
from django.dispatch import Signal

from .models import Alert

# Sent with `alert` and `change` ("raised" or "cleared") after that is committed.
alert_changed = Signal()


def tell(alert: Alert, change: str) -> None:
    transaction.on_commit(lambda: alert_changed.send_robust(Alert, alert=alert, change=change), robust=True)
