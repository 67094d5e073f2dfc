"""What jobs tell whoever listens."""

from django.db import transaction
from django.dispatch import Signal

from .models import Job

# Sent with `job`, as it is now, after each change of its state or progress is committed.
job_changed = Signal()


def tell(job: Job) -> None:
    transaction.on_commit(lambda: job_changed.send_robust(Job, job=job), robust=True)
