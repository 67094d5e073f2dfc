"""The search page: a GET form, so that a search can be sent to somebody as its address."""

from .judging import judge_page
from .page import search_page

__all__ = ["judge_page", "search_page"]
