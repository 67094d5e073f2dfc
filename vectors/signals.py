"""What this library tells whoever listens; it starts no work in the background itself."""

from django.dispatch import Signal

# A collection has outgrown its index: `collection_id` and `using`, after the commit that did it. It is sent
# again now and then until `vectors.index.training.rebuild` has run; answer with a task that asks `is_due`.
index_due = Signal()

# A search is done: `seconds` it took, the embedding of its query included.
searched = Signal()
