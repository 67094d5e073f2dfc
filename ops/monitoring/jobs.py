"""Counts jobs that are over where every process finds the count: their rows are forgotten after a month."""

import logging
from typing import Any

from django.db import DatabaseError
from django.dispatch import receiver

from ops.health import signs
from ops.jobs.models import Job
from ops.jobs.signals import job_changed

logger = logging.getLogger(__name__)


@receiver(job_changed, dispatch_uid="jobs-total")
def count(job: Job, **_: Any) -> None:
    if not job.is_over:
        return
    try:
        signs.note_job(job.kind, str(job.state))
    except DatabaseError as error:
        logger.warning("Job %s is not counted: %s", job.pk, type(error).__name__)
