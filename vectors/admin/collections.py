"""Collections in the console: a list, a form of what may change without embedding anew, and pages of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from vectors.admin.confirming import TypedDeletion
from vectors.admin.display import count, short_time
from vectors.admin.naming import Naming
from vectors.admin.pages import PAGES, overview
from vectors.admin.pages.base import head, view_of
from vectors.catalogue import HIDDEN
from vectors.models import Collection, Index
from vectors.rows import reading_alias
from vectors.upkeep.stats import Figures, read_figures

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class CollectionForm(forms.ModelForm):
    class Meta:
        model = Collection
        fields = ("strategy", "keyword_weight", "keyword_weight_cjk")
        labels: ClassVar = {
            "strategy": _("Strategy"),
            "keyword_weight": _("Keyword weight"),
            "keyword_weight_cjk": _("Keyword weight, Chinese, Japanese and Korean"),
        }
        help_texts: ClassVar = {
            "strategy": _("How the nearest items are found. Automatic takes what costs least."),
            "keyword_weight": _("Share of the keyword score in hybrid search, 0–1. Empty: automatic."),
            "keyword_weight_cjk": _(
                "The same for queries in Japanese, Chinese or Korean. Empty: as for all others."
            ),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("keyword_weight", "keyword_weight_cjk"):
            if (field := self.fields.get(name)) is not None:
                field.widget.attrs.update(min=0, max=1, step=0.05)

    def clean_keyword_weight(self) -> float | None:
        return self._weight("keyword_weight")

    def clean_keyword_weight_cjk(self) -> float | None:
        return self._weight("keyword_weight_cjk")

    def _weight(self, name: str) -> float | None:
        weight: float | None = self.cleaned_data[name]
        if weight is not None and not 0 <= weight <= 1:
            said = gettext("Expected a number from 0 to 1, got %(weight)s.")
            raise ValidationError(said % {"weight": weight}, code="range")
        return weight


class CollectionList(ChangeList):
    """A page of collections, with what all of them hold read at once: each has tables of its own."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        this: Any = self
        rows: list[Collection] = list(this.result_list)
        figures = read_figures(rows, reading_alias(rows[0], None)) if rows else {}
        for row in rows:
            row.figures = figures[row.pk]  # type: ignore[attr-defined]
        this.result_list = rows


@admin.register(Collection)
class CollectionAdmin(TypedDeletion, ModelAdmin):
    """Collections are made by the API and by commands, which know their embedders."""

    # Names of the collections that an application relies on; it adds its own.
    protected: ClassVar[set[str]] = set()
    # By the collection's name, how its application would have its items shown.
    namings: ClassVar[dict[str, Naming]] = {}

    form = CollectionForm
    empty_help = _(
        "A collection has items with their embeddings. That of the prompts is made with the first "
        "prompt; others are made by the API: POST /api/v1/collections."
    )
    list_display = ("name", "row_count", "embeddings", "space", "search_by", "size", "index_state", "updated")
    list_per_page = 20
    list_select_related = ("index",)
    search_fields = ("name", "model")
    search_help_text = _("A part of a collection's name, or of its model's.")
    show_full_result_count = False
    fieldsets = ((None, {"fields": ("strategy", "keyword_weight", "keyword_weight_cjk")}),)

    def get_urls(self) -> list[Any]:
        pages = [
            path(
                f"<int:object_id>/{page.name}/",
                self.admin_site.admin_view(view_of(self, page)),
                name=page.url_name,
            )
            for page in PAGES
        ]
        return [*pages, *super().get_urls()]  # before Django's last, which takes all that is left

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return CollectionList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        """Without the spare spaces of migrations, which nobody is to touch."""
        visible: QuerySet[Collection] = super().get_queryset(request).exclude(HIDDEN)
        return visible.defer("index__middle", "index__tuning")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return getattr(obj, "name", None) not in self.protected and super().has_delete_permission(
            request, obj
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        if collection := options.get("obj"):
            context |= head(self, request, collection, "change") | overview.context(request, collection)
        form: HttpResponse = super().render_change_form(request, context, *args, **options)
        return form

    @display(description=_("Rows"))
    def row_count(self, collection: Collection) -> str:
        return count(_figures(collection).rows)

    @display(description=_("Embeddings"), ordering="embedder")
    def embeddings(self, collection: Collection) -> str:
        parts = (collection.embedder or gettext("the caller's own"), collection.model)
        return " · ".join(part for part in parts if part)

    @display(description=_("Dimensions"), ordering="dimensions")
    def space(self, collection: Collection) -> str:
        return f"{count(collection.dimensions)} · {collection.get_metric_display()}"

    @display(description=_("Strategy"), ordering="strategy")
    def search_by(self, collection: Collection) -> str:
        return collection.get_strategy_display()

    @display(description=_("Embeddings and index"))
    def size(self, collection: Collection) -> str:
        return str(filesizeformat(_figures(collection).bytes))

    @display(description=_("Index"))
    def index_state(self, collection: Collection) -> str:
        return described(getattr(collection, "index", None))

    @display(description=_("Updated"), ordering="updated_at")
    def updated(self, collection: Collection) -> str:
        return short_time(collection.updated_at)


def described(index: Index | None) -> str:
    """What an index is at, in a few words."""
    if index is None or (not index.version and not index.is_diskann):
        return gettext("none yet: every row is measured")
    if index.building:
        return gettext("being built")
    if index.lists:
        return gettext("%(lists)s inverted lists") % {"lists": count(index.lists)}
    if index.is_diskann:
        return gettext("built-in index")
    return gettext("codes")


def _figures(collection: Collection) -> Figures:
    figures: Figures = collection.figures  # type: ignore[attr-defined]
    return figures
