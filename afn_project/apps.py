import logging
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created

logger = logging.getLogger("afn.sql")


class AfnConfig(AppConfig):
    name = "afn_project"
    verbose_name = "AutoForgeNexus"

    def ready(self) -> None:
        # The package itself imports nothing (its engine runs inside Django's own test suite), so the
        # Celery application that `shared_task` belongs to is made here.
        from . import celery, checks, doctor, key_cache, metrics, secret_checks  # noqa: F401

        metrics.install()
        key_cache.install()
        doctor.install()

        if settings.DB_ECHO:
            connection_created.connect(_echo, dispatch_uid="db-echo")


def _echo(connection: Any, **kwargs: Any) -> None:
    if _log_sql not in connection.execute_wrappers:
        connection.execute_wrappers.append(_log_sql)


def _log_sql(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """Log the statement with its parameters unbound: values may be secret."""
    logger.info(sql)
    return execute(sql, params, many, context)
