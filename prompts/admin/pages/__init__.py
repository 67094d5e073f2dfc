"""The pages of one prompt beside its form: each a module with ``show``, in the order of their tabs."""

from django.utils.translation import gettext_lazy as _

from . import blame, comparison, evaluations, labels, relations, split, texts, use, versions
from .base import Page

PAGES: tuple[Page, ...] = (
    Page("versions", _("Versions"), versions.show),
    Page("blame", _("Who wrote which line"), blame.show, within="versions"),
    Page("labels", _("Labels"), labels.show),
    Page("evaluations", _("Evaluations"), evaluations.show),
    Page("comparison", _("Compare scores"), comparison.show, within="evaluations"),
    Page("split", _("Split test"), split.show),
    Page("relations", _("Relations"), relations.show),
    Page("texts", _("Compare texts"), texts.show, within="relations"),
    Page("use", _("Use it"), use.show),
)
