"""Addresses and secrets of webhooks at rest: encrypted by a key that follows from SECRET_KEY.

They have to be read again, to call and to sign, so a hash would not do. Who has a copy of the database alone
has none of them. Another SECRET_KEY reads them as long as the old one is in SECRET_KEY_FALLBACKS.
"""

import base64
from collections.abc import Iterator
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.db.models import Model

from .errors import Unsealable

_SEALED = "sealed_"  # how the names of columns begin that hold what is sealed


def seal(text: str) -> str:
    return _box(_keys()).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Raises ``Unsealable``, which tells nothing of the text."""
    try:
        return _box(_keys()).decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        raise Unsealable("sealed with another SECRET_KEY") from None


def sealed_columns() -> Iterator[tuple[type[Model], list[str]]]:
    """All tables that hold something sealed, and the names of its columns."""
    for model in apps.get_models():
        names = [field.attname for field in model._meta.concrete_fields if field.attname.startswith(_SEALED)]
        if names:
            yield model, names


def _keys() -> tuple[str | bytes, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=4)
def _box(keys: tuple[str | bytes, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str | bytes) -> bytes:
    # SECRET_KEY is long and random: what is wanted is a key for this purpose alone, not a slow one.
    material = key.encode() if isinstance(key, str) else key
    made = HKDF(SHA256(), length=32, salt=None, info=b"afn webhooks v1").derive(material)
    return base64.urlsafe_b64encode(made)
