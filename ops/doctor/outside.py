"""What this app cannot know itself: which settings there are, and how secrets are masked in a text.

The project says so at its start (`use`). Until then nothing is told of settings, and what looks like a secret
is masked by its looks alone.
"""

from collections.abc import Callable
from typing import Any

from ops.jobs.causes import redacted

Setting = dict[str, Any]
_mask: Callable[[str], str] = redacted
_settings: Callable[[], list[Setting]] = list


def use(*, mask: Callable[[str], str], settings: Callable[[], list[Setting]]) -> None:
    global _mask, _settings
    _mask, _settings = mask, settings


def mask(text: str) -> str:
    return _mask(text)


def settings() -> list[Setting]:
    """Name, whether it is set, and the value of what is no secret."""
    return _settings()
