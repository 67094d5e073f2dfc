from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OpsConfig(AppConfig):
    name = "ops"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from ops import signals, tasks  # noqa: F401  (they listen)
        from ops.alerts import outage  # noqa: F401
        from ops.audit import listening
        from ops.backups import jobs as backups  # noqa: F401
        from ops.health import parts  # noqa: F401
        from ops.jobs import kinds, kinds_of_collections  # noqa: F401
        from ops.monitoring import jobs, queries  # noqa: F401
        from ops.outbox import recording  # noqa: F401
        from ops.realtime import recording as realtime  # noqa: F401
        from ops.scheduling import local  # noqa: F401
        from ops.slow_queries import noting

        listening.listen()
        noting.install()
