"""After a change of SECRET_KEY: what was sealed with a former one is sealed anew."""

from dataclasses import dataclass

from django.db import transaction

from .errors import Unsealable
from .sealing import seal, sealed_columns, unseal


@dataclass(slots=True)
class Resealed:
    """Rows, of webhooks and of channels of alerts. ``unreadable``: by model, what no key here opens."""

    rows: int
    unreadable: dict[str, int]


def reseal() -> Resealed:
    """Seal all addresses and secrets with SECRET_KEY that it or one of SECRET_KEY_FALLBACKS opens.

    A row is changed as a whole or not at all, so that this may be interrupted and run again.
    """
    done = Resealed(0, {})
    for model, names in sealed_columns():
        for key in list(model._default_manager.values_list("pk", flat=True)):
            with transaction.atomic():
                row = model._default_manager.select_for_update().filter(pk=key).values(*names).first()
                if row is None:  # deleted meanwhile
                    continue
                try:
                    new = {name: seal(unseal(text)) for name, text in row.items() if text}
                except Unsealable:
                    kind = str(model._meta.verbose_name)
                    done.unreadable[kind] = done.unreadable.get(kind, 0) + 1
                    continue
                done.rows += model._default_manager.filter(pk=key).update(**new) if new else 0
    return done
