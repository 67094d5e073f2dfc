"""The console's pages of collections, and what the pages of all apps are drawn with.

``display`` has small pieces of HTML, ``charts`` describes plots; both know nothing of any app.
"""

import vectors.relevance.admin  # noqa: F401 - registers its pages

from . import headers
from .collections import CollectionAdmin

__all__ = ["CollectionAdmin"]

headers.install()
