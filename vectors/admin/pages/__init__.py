"""The pages of one collection beside its form: each a module with ``show``, in the order of their tabs."""

from django.utils.translation import gettext_lazy as _

from . import building, compare, duplicates, item, items, map, migration, progress, quality, search
from .base import Page

PAGES: tuple[Page, ...] = (
    Page("items", _("Items"), items.show, of_items=True),
    Page("search", _("Search"), search.show, of_items=True),
    Page("map", _("Map"), map.show, of_items=True),
    Page("quality", _("Quality"), quality.show),
    Page("duplicates", _("Duplicates"), duplicates.show, of_items=True),
    Page("migration", _("Model"), migration.show),
    Page("item", None, item.show, of_items=True, within="items"),
    Page("compare", None, compare.show, of_items=True, within="duplicates"),
    Page("build", None, building.show),
    Page("progress", None, progress.show),
)
