"""Collections in the console: what they hold, and the two settings that may change without embedding anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.admin import ModelAdmin
from unfold.decorators import display

from vectors import store
from vectors.catalogue import HIDDEN
from vectors.models import Collection

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class CollectionForm(forms.ModelForm):
    class Meta:
        model = Collection
        fields = ("strategy", "keyword_weight", "keyword_weight_cjk")

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
            raise ValidationError(f"Expected a number from 0 to 1, got {weight}.", code="range")
        return weight


@admin.register(Collection)
class CollectionAdmin(ModelAdmin):
    """Collections are made by the API and by commands, which know their embedders."""

    # Names of the collections that an application relies on; it adds its own.
    protected: ClassVar[set[str]] = set()

    form = CollectionForm
    list_display = (
        "name",
        "row_count",
        "embedder",
        "model",
        "dimensions",
        "metric",
        "strategy",
        "updated_at",
    )
    list_per_page = 20
    search_fields = ("name", "model")
    show_full_result_count = False
    readonly_fields = (
        "name", "row_count", "embedder", "model", "dimensions", "metric", "created_at", "updated_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("name", "row_count", "embedder", "model", "dimensions", "metric")}),
        ("Search", {"fields": ("strategy", "keyword_weight", "keyword_weight_cjk")}),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        """Without the spare spaces of migrations, which nobody is to touch."""
        visible: QuerySet[Collection] = super().get_queryset(request).exclude(HIDDEN)
        return visible

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return getattr(obj, "name", None) not in self.protected and super().has_delete_permission(
            request, obj
        )

    @display(description="Rows")
    def row_count(self, collection: Collection) -> str:
        return f"{store.count(collection):,}"
