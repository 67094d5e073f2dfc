from django.apps import AppConfig


class TestsConfig(AppConfig):
    name = "tests.ops.jobs"
    label = "tests_of_jobs"

    def ready(self) -> None:
        from tests.ops.jobs import kinds  # noqa: F401
