"""What the doctor cannot know itself: the settings there are, and how secrets are masked."""

from typing import Any

from ops.doctor import outside

from .env import Env, may_hold_secret
from .logs.redacting import mask


def install() -> None:
    """Once for each process."""
    outside.use(mask=mask, settings=read_settings)


def read_settings() -> list[dict[str, Any]]:
    """Every variable that AFN reads: whether it is set, and its value unless that may hold a secret."""
    from .settings import env

    return [
        {"name": name.upper(), "set": name in env.model_fields_set} | _value(name, getattr(env, name))
        for name in Env.model_fields
    ]


def _value(name: str, value: Any) -> dict[str, Any]:
    if may_hold_secret(name):
        return {}
    return {"value": value if isinstance(value, bool | int | float | list | dict | None) else str(value)}
