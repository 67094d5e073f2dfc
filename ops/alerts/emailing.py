"""An alert by e-mail, over the server that AFN_EMAIL_URL names."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Sequence
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage

from ops.webhooks.sending import Outcome

from . import wording
from .models import AlertNotification

NOT_SET = "AFN_EMAIL_URL is not set: nothing is sent by e-mail"
_ACCEPTED = 250


def is_configured() -> bool:
    return bool(settings.EMAIL_HOST)


def send(notification: AlertNotification, addresses: Sequence[str]) -> Outcome:
    """One message to all addresses. What the server says is not kept: it may quote what it was sent."""
    if not is_configured():
        return Outcome(None, "", NOT_SET, 0.0)
    began = time.monotonic()
    status, error = None, ""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    message = EmailMessage(
        wording.subject_of(notification),
        wording.text_of(notification),
        to=list(addresses),
        # The same in each attempt, by which mailboxes know what they have.
        headers={"Message-ID": f"<{notification.pk}@{sender.rpartition('@')[2]}>"},
    )
    try:
        message.send()
        status = _ACCEPTED
    except smtplib.SMTPRecipientsRefused:
        error = "the mail server takes none of the addresses"
    except smtplib.SMTPAuthenticationError:
        error = "the mail server does not accept user name and password"
    except smtplib.SMTPResponseException as problem:
        error = f"the mail server answered {problem.smtp_code}"
    except (smtplib.SMTPException, OSError) as problem:  # TLS errors, refused connections and time-outs, too
        error = f"the mail server cannot be used: {type(problem).__name__}"
    return Outcome(status, "", error, round((time.monotonic() - began) * 1_000, 1))
