"""What indexing tells whoever listens."""

from django.dispatch import Signal

# With `error`: the embedder has failed, and what it was to embed is found again by the next sweep.
embedder_failed = Signal()
