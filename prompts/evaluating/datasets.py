"""Filling datasets: many items at a time, and told of by their number, for there may be thousands."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, transaction
from django.dispatch import Signal

from ..models import Dataset, DatasetItem

# Sent with `dataset`, `facts` and `using` within the transaction that changes its items; not where they go
# with their dataset.
items_changed = Signal()
MAX_ITEMS: Final = 1_000  # that one takes at a time from outside
_WRITTEN: Final = ("variables", "placeholders", "expected", "metadata")


def put_items(dataset: Dataset, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Insert or replace items by `key`, all or none: of one that comes twice the last counts.

    Raises ``ValidationError`` by field, such as ``items[3].expected``.
    """
    items: dict[str, DatasetItem] = {}
    for number, row in enumerate(rows):
        item = DatasetItem(dataset=dataset, **row)
        try:
            # Nothing that asks the database for each of them.
            item.full_clean(exclude=["dataset"], validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            named = {f"items[{number}].{field}": found for field, found in error.error_dict.items()}
            raise ValidationError(named) from error
        items[item.key] = item
    with transaction.atomic():
        updated = dataset.items.filter(key__in=list(items)).count()
        DatasetItem.objects.bulk_create(
            items.values(), update_conflicts=True, unique_fields=["dataset", "key"], update_fields=_WRITTEN
        )
        counts = {"inserted": len(items) - updated, "updated": updated}
        _tell(dataset, {"items": counts})
    return counts


def delete_item(dataset: Dataset, key: str) -> bool:
    """Whether there was one; evaluations on it stay."""
    with transaction.atomic():
        deleted, _ = dataset.items.filter(key=key).delete()
        if deleted:
            _tell(dataset, {"items": {"deleted": deleted}, "key": key})
    return bool(deleted)


def _tell(dataset: Dataset, facts: dict[str, Any]) -> None:
    items_changed.send(Dataset, dataset=dataset, facts=facts, using=dataset._state.db or DEFAULT_DB_ALIAS)
