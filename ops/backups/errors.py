"""What can be wrong with a backup. Each text says what was expected, what came and what to do."""

from ops.environments.base import EnvironmentProblem


class BackupProblem(EnvironmentProblem):
    """Base of what follows: nothing was changed."""


class DamagedBackup(BackupProblem):
    """The file is no backup, or not as it was written: cut off, changed, or followed by something else."""


class WrongKey(BackupProblem):
    """The backup is encrypted for other keys, or the database in it is."""


class Unsuitable(BackupProblem):
    """A sound backup, but of another engine or another schema than this AFN works on."""


class NoSpace(BackupProblem):
    """The disk has not enough room for what would be written."""


class NotProved(BackupProblem):
    """What was restored is not what the backup says it holds."""
