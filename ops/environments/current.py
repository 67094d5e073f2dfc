"""The provider of the environments that this process can see, by what the settings say of its database."""

from urllib.parse import urlsplit

from django.conf import settings

from .base import NotConfigured, Provider


def get_provider() -> Provider:
    """A self-hosted server or local files. Raises ``NotConfigured`` where a setting is missing."""
    name = str(settings.DATABASES["default"]["NAME"])
    if "://" not in name:
        from .local import Provider as Local

        return Local.from_settings()
    if (urlsplit(name).hostname or "").endswith(".turso.io"):
        raise NotConfigured(
            "Environments at Turso are not served yet: make databases with Turso's own command line, and set "
            "TURSO_DATABASE_URL and TURSO_AUTH_TOKEN."
        )
    from .sqld import Provider as Sqld

    return Sqld.from_settings()
