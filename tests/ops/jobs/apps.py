from datetime import timedelta

from django.apps import AppConfig


class TestsConfig(AppConfig):
    name = "tests.ops.jobs"
    label = "tests_of_jobs"

    def ready(self) -> None:
        from ops.jobs import registry
        from tests.ops.jobs import kinds  # noqa: F401

        registry.HELD = timedelta(seconds=2)
