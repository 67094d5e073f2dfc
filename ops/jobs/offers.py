"""Which jobs a person may start by hand, and what the page that does so says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ops.backups import s3
from prompts.errors import RegistryProblem

from . import registry
from .words import title_of

# Whoever starts a job needs this one, and that of its kind.
PERMISSION: Final = "ops.change_job"
_COLLECTION: Final = "vectors.change_collection"
SUPERUSER: Final = "superuser"


@dataclass(frozen=True, slots=True)
class Offer:
    """``deletes`` for good what nothing brings back: who starts it types the name of the environment."""

    kind: str
    description: Any
    icon: str
    permission: str = PERMISSION
    deletes: bool = False

    @property
    def title(self) -> str:
        return title_of(self.kind)


_OFFERS: Final = (
    Offer("back_up", _("Makes a backup of the database, while everybody goes on working."), "backup"),
    Offer("drill_backup", _("Restores a backup beside the live database, and compares."), "verified"),
    Offer("verify_backup", _("Reads a backup to its end: is all of it as it was written?"), "fact_check"),
    Offer("upload_backups", _("Brings the backups to the bucket that it lacks."), "cloud_upload"),
    Offer("prune_backups", _("Removes the backups that AFN_BACKUPS_KEEP does not keep."), "auto_delete"),
    Offer("rebuild_index", _("Builds the index of a collection anew."), "build", _COLLECTION),
    Offer("tune_vectors", _("Tries strategies on a collection, and keeps the cheapest that find enough."),
          "tune", _COLLECTION),
    Offer("evaluate_search", _("Measures how good the searches of a collection are, by its judgements."),
          "query_stats", _COLLECTION),
    Offer("find_duplicates", _("Finds groups of nearly identical items."), "content_copy", _COLLECTION),
    Offer("migrate_embeddings", _("Embeds the texts of a collection by another model as well."),
          "sync", _COLLECTION),
    Offer("judge_migration", _("Compares the present and the new model of a collection."), "balance",
          _COLLECTION),
    Offer("map_items", _("Draws a sample of a collection's items on a plane."), "scatter_plot", _COLLECTION),
    Offer("embed_prompts", _("Brings the search index of prompts up to date."), "manage_search"),
    Offer("clean_up", _("Deletes expired sessions, old answers and old slow queries."), "cleaning_services"),
    Offer("empty_trash", _("Deletes for good what has been in the trash for so many days."), "delete_forever",
          SUPERUSER, deletes=True),
    Offer("prune_audit_log", _("Deletes lines of the audit log that are older than so many days."),
          "delete_sweep", SUPERUSER, deletes=True),
)  # fmt: skip


def offered(user: Any) -> list[Offer]:
    """Those that this user may start, and that there are here."""
    if not user.has_perm(PERMISSION):
        return []
    known = {kind.name for kind in registry.kinds()}
    found = [one for one in _OFFERS if one.kind in known and _may(user, one)]
    if not s3.is_configured():
        found = [one for one in found if one.kind != "upload_backups"]
    if user.is_superuser:  # also those of an app of the operator's own
        listed = {one.kind for one in _OFFERS}
        found += [Offer(name, "", "play_arrow", SUPERUSER) for name in sorted(known - listed)]
    return found


def get(user: Any, kind: str) -> Offer:
    """Raises ``RegistryProblem`` for what this user may not start."""
    for one in offered(user):
        if one.kind == kind:
            return one
    raise RegistryProblem("kind", "one that you may start", repr(kind[:64]))


def _may(user: Any, offer: Offer) -> bool:
    return bool(user.is_superuser if offer.permission == SUPERUSER else user.has_perm(offer.permission))
