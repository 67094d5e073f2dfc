from django.apps import AppConfig

from vectors.managed import manage


class PromptsConfig(AppConfig):
    name = "prompts"
    verbose_name = "Prompts"

    def ready(self) -> None:
        from . import signals  # noqa: F401 - connects itself
        from .indexing import COLLECTION

        manage(COLLECTION, "It follows the prompts: change those instead.")
