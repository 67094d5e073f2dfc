"""What turns texts into embeddings: does it load, does it fit each collection, does anything wait for it?"""

from datetime import timedelta
from typing import Final

from django.conf import settings

from ops.jobs.causes import redacted
from prompts.indexing import COLLECTION, outdated
from vectors.embedders import default_name, for_collection
from vectors.errors import VectorError
from vectors.models import Collection

from ..examining import Case
from ..findings import Notes

# They compute on this machine: a try costs nothing.
_FREE: Final = ("wordllama", "sentence-transformers")
_LATE: Final = timedelta(minutes=5)


def look(notes: Notes, case: Case) -> None:
    for collection in Collection.objects.exclude(embedder="").order_by("name"):
        _look_at_embedder(notes, case, collection)
    _look_for_another(notes)
    _look_at_waiting(notes, case)


def _look_at_embedder(notes: Notes, case: Case, collection: Collection) -> None:
    name = f"embedder of {collection.name}"
    try:
        embedder = for_collection(collection)
        if is_asked := case.deep or embedder.name in _FREE:
            made = embedder.embed(["doctor"])
            if made.shape != (1, collection.dimensions):
                raise ValueError(f"expected {collection.dimensions} dimensions, got {made.shape[-1]}")
    except (VectorError, ValueError, OSError) as error:
        notes.problem(
            name,
            f"{collection.embedder}: {redacted(str(error))[:300]}",
            "Nothing new can be found in it, and no query by meaning be asked.",
            f"Look at the settings of {collection.embedder} (AFN_EMBEDDING_MODEL, OPENAI_API_KEY, "
            "VECTOR_DIMENSION) and install its package; or `manage.py migrate_embeddings "
            f"{collection.name} --embedder NAME` changes to another.",
        )
        return
    end = "" if is_asked else "; `--deep` asks the service, which may cost money"
    notes.ok(name, f"{collection.embedder}, {embedder.model}, {collection.dimensions} dimensions{end}")


def _look_for_another(notes: Notes) -> None:
    collection = Collection.objects.filter(name=COLLECTION).first()
    if collection is not None and collection.embedder != default_name():
        notes.warn(
            "AFN_EMBEDDER",
            f"{default_name()}; the prompts were embedded by {collection.embedder}",
            "The setting is for new collections: prompts go on with the old one.",
            f"`manage.py migrate_embeddings {COLLECTION} --embedder {default_name()}`, or set "
            f"AFN_EMBEDDER={collection.embedder}.",
        )


def _look_at_waiting(notes: Notes, case: Case) -> None:
    waiting = outdated()
    count = waiting.count()
    late = waiting.filter(updated_at__lt=case.now - _LATE).count()
    if late:
        who = (
            "Celery's worker and scheduler" if settings.REDIS_URL else "the web server, with AFN_SCHEDULE on"
        )
        notes.warn(
            "prompts not embedded",
            f"{late:,}, for more than {_LATE.seconds // 60} minutes",
            "They are found by their old content, or not at all.",
            f"`manage.py embed_prompts`; it is {who}, that does so by itself.",
        )
    else:
        notes.ok("prompts not embedded", f"{count:,}")
