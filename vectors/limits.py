"""The bounds of everything a caller can hand in, in one place."""

from typing import Final

MAX_NAME: Final = 128
MAX_DIMENSIONS: Final = 65_536

MAX_KEY: Final = 512
MAX_TITLE: Final = 2_000
MAX_TEXT: Final = 1_000_000
MAX_METADATA_BYTES: Final = 65_536
MAX_METADATA_DEPTH: Final = 8
MAX_METADATA_NAME: Final = 256

# `vector_top_k(…, 0)` kills a libSQL process; nothing here calls it, yet k is clamped for whoever will.
MAX_K: Final = 1_000
MAX_QUERY: Final = 1_000_000

MAX_FILTER_DEPTH: Final = 8
MAX_FILTER_CLAUSES: Final = 100
MAX_FILTER_IN: Final = 1_000
MAX_FILTER_STRING: Final = 10_000

MAX_SCHEMA_FIELDS: Final = 100
MAX_INDEXED_FIELDS: Final = 16

# Of one call: keys to get or delete, items of a page, values of a facet, searches at once.
MAX_KEYS: Final = 1_000
MAX_PAGE: Final = 1_000
MAX_FACET: Final = 1_000
MAX_SEARCHES: Final = 50
