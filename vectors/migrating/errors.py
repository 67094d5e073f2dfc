"""What can go wrong with the change of an embedding model, beside what its parts raise."""

from vectors.errors import VectorError


class InvalidMigration(VectorError):
    """This collection cannot be migrated so, or not yet."""


class MigrationBusy(VectorError):
    """Another process fills the same space, or the migration went on without this one."""
