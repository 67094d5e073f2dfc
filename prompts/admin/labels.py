"""Policies of labels, to be edited, and the log of their moves, to be read.

Labels move on the pages of prompts, and by the API.
"""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from vectors.admin.confirming import TypedDeletion
from vectors.admin.display import link, short_time
from vectors.admin.paging import BoundedPaginator

from ..models import LabelMove, LabelPolicy


class LabelPolicyForm(forms.ModelForm):
    class Meta:
        model = LabelPolicy
        fields = (
            "name",
            "is_protected",
            "evidence",
            "score_name",
            "minimum_items",
            "threshold",
            "confidence",
            "margin",
        )
        labels = {
            "name": _("Label"),
            "is_protected": _("Protected"),
            "evidence": _("Evidence"),
            "score_name": _("Score"),
            "minimum_items": _("Items"),
            "threshold": _("Threshold"),
            "confidence": _("Confidence"),
            "margin": _("Margin"),
        }
        help_texts = {
            "name": _("Such as production. The policy holds for this label in all prompts."),
            "is_protected": _(
                "Only who has the permission to move protected labels may move it or take it off."
            ),
            "evidence": _(
                "What a version has to show before the label moves to it. To undo a move asks for nothing."
            ),
            "score_name": _("Which score of the evaluations counts, such as accuracy. Empty: the main one."),
            "minimum_items": _(
                "How many items have to be evaluated; for a comparison, of both versions the same ones."
            ),
            "threshold": _("The least mean score, from 0 to 1."),
            "confidence": _("Of the paired test: 0.95 lets one in twenty pass that is no better."),
            "margin": _("How much worse is still not worse, as a difference of mean scores from 0 to 1."),
        }


@admin.register(LabelPolicy)
class LabelPolicyAdmin(TypedDeletion, ModelAdmin):
    form = LabelPolicyForm
    empty_help = _(
        "A policy says who may move a label, such as production, and what a version has to show "
        "before. Without one every editor may move it."
    )
    list_display = ("name", "protected", "asks_for", "minimum_items", "threshold", "moves")
    list_per_page = 50
    search_fields = ("name",)
    fields = LabelPolicyForm.Meta.fields
    # What a kind of evidence does not look at is not asked for.
    conditional_fields = {
        "score_name": "evidence != 'none'",
        "minimum_items": "evidence != 'none'",
        "threshold": "evidence == 'threshold'",
        "confidence": "evidence == 'better' || evidence == 'not_worse'",
        "margin": "evidence == 'not_worse'",
    }

    def warning_of_deletion(self, obj: LabelPolicy) -> str:
        return gettext("Every editor may move the label afterwards, without evidence.")

    @display(description=_("Protected"), boolean=True, ordering="is_protected")
    def protected(self, policy: LabelPolicy) -> bool:
        return policy.is_protected

    @display(description=_("Evidence"), ordering="evidence")
    def asks_for(self, policy: LabelPolicy) -> str:
        return policy.get_evidence_display()

    @display(description=_("Moves"))
    def moves(self, policy: LabelPolicy) -> SafeString:
        url = f"{reverse('admin:prompts_labelmove_changelist')}?{urlencode({'q': policy.name})}"
        return link(url, gettext("Who moved it"))


@admin.register(LabelMove)
class LabelMoveAdmin(ModelAdmin):
    """To read only: what happened stays as it was."""

    empty_help = _(
        "Each move of a label is kept here: who, when, from which version to which, and on what "
        "evidence. Labels are moved on a prompt's page Labels."
    )
    empty_link = (_("Prompts"), "admin:prompts_prompt_changelist", "prompts.view_prompt")
    list_display = ("created", "label", "labels_of_prompt", "way", "by", "why")
    list_display_links = ("created",)
    list_per_page = 50
    search_fields = ("prompt__name", "label", "actor_name")
    show_full_result_count = False
    paginator = BoundedPaginator
    search_help_text = _("A prompt, a label, or who moved it.")
    fields = readonly_fields = (
        "labels_of_prompt",
        "label",
        "way",
        "by",
        "reason",
        "evidence",
        "undone",
        "created",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        moves = super().get_queryset(request).select_related("prompt")
        return moves.defer("prompt__content", "prompt__metadata", "prompt__config", "prompt__variables")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only together with the prompt, or the user whose prompt it is."""
        match = request.resolver_match
        return not (match and str(match.url_name).startswith("prompts_labelmove_"))

    @display(description=_("Prompt"), ordering="prompt__name")
    def labels_of_prompt(self, move: LabelMove) -> SafeString | str:
        if move.prompt.deleted_at:
            return gettext("%(name)s, in the trash") % {"name": move.prompt.name}
        return link(reverse("admin:prompts_prompt_labels", args=[move.prompt_id]), move.prompt.name)

    @display(description=_("Move"))
    def way(self, move: LabelMove) -> str:
        before = f"v{move.from_version}" if move.from_version else gettext("nothing")
        after = f"v{move.to_version}" if move.to_version else gettext("off")
        return f"{before} → {after}"

    @display(description=_("By"), ordering="actor_name")
    def by(self, move: LabelMove) -> str:
        return move.actor_name or gettext("a command")

    @display(description=_("Reason"))
    def why(self, move: LabelMove) -> str:
        return Truncator(move.reason).chars(80) or "–"

    @display(description=_("Takes back"))
    def undone(self, move: LabelMove) -> SafeString | str:
        if not move.undoes_id:
            return "–"
        url = reverse("admin:prompts_labelmove_change", args=[move.undoes_id])
        return link(url, gettext("an earlier move"))

    @display(description=_("Moved"), ordering="created_at")
    def created(self, move: LabelMove) -> str:
        return short_time(move.created_at)
