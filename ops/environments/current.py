"""The provider of the environments that this process can see, by what the settings say of its database."""

from urllib.parse import urlsplit

from django.conf import settings

from .base import Provider


def get_provider() -> Provider:
    """Local files, Turso, or a self-hosted server. Raises ``NotConfigured`` where a setting is missing."""
    name = str(settings.DATABASES["default"]["NAME"])
    if "://" not in name:
        from .local import Provider as Local

        return Local.from_settings()
    if (urlsplit(name).hostname or "").endswith(".turso.io"):
        from .turso import Provider as Turso

        return Turso.from_settings()
    from .sqld import Provider as Sqld

    return Sqld.from_settings()
