from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        from ops import signals, tasks  # noqa: F401  (they listen)
        from ops.audit import listening
        from ops.outbox import recording  # noqa: F401

        listening.listen()
