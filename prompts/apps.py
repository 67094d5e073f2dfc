from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _

from vectors.managed import manage


class PromptsConfig(AppConfig):
    name = "prompts"
    verbose_name = _("Prompts")

    def ready(self) -> None:
        from . import roles, signals  # noqa: F401 - they connect themselves
        from .indexing import COLLECTION
        from .serving import watching

        connection_created.connect(watching.install, dispatch_uid="watch-what-is-served")
        manage(COLLECTION, "It follows the prompts: change those instead.")
