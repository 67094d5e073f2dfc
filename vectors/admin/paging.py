"""Pages of lists that may hold any number of rows: never are all of them counted."""

from __future__ import annotations

from typing import Any, Final

from django.core.paginator import Paginator
from django.utils.functional import cached_property

# So many rows can be paged through; those beyond are found by a filter or a search.
MOST: Final = 5_000


class BoundedPaginator(Paginator):
    """Counts as far as ``MOST``. For a ``ModelAdmin``: ``paginator = BoundedPaginator``."""

    template_name = "admin/pages.html"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not hasattr(rows, "order_by"):
            return len(rows)
        return int(rows.order_by().values("pk")[:MOST].count())

    @property
    def is_cut(self) -> bool:
        return self.count >= MOST
