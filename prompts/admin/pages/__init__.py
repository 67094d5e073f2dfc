"""The pages of one prompt beside its form: each a module with ``show``, in the order of their tabs."""

from django.utils.translation import gettext_lazy as _

from . import versions
from .base import Page

PAGES: tuple[Page, ...] = (Page("versions", _("Versions"), versions.show),)
