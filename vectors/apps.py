from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VectorsConfig(AppConfig):
    name = "vectors"
    verbose_name = _("Vector collections")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from vectors import checks  # noqa: F401  (registers the system checks)
