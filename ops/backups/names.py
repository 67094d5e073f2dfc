"""The names of backups: the environment and the moment, so that a listing needs to open none of them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from .errors import BackupProblem

SUFFIX: Final = ".afnbackup"
_NAME: Final = re.compile(r"([a-z][a-z0-9-]{0,62})-(\d{8}T\d{6}Z)(?:-(\d{1,4}))?" + re.escape(SUFFIX))
_MOMENT: Final = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, order=True)
class BackupName:
    """``moment`` is in UTC, to the second; ``number`` tells those of one second apart. Sorted by age."""

    moment: datetime
    number: int
    environment: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for what is not the name of a backup."""
        if (found := _NAME.fullmatch(text)) is None:
            return None
        try:
            moment = datetime.strptime(found[2], _MOMENT).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(moment, int(found[3] or 0), found[1])

    @classmethod
    def checked(cls, text: str) -> Self:
        if (name := cls.read(text)) is None:
            raise BackupProblem(
                f"Expected the name of a backup such as prod-20260101T020000Z{SUFFIX}, got {text[:100]!r}."
            )
        return name

    def __str__(self) -> str:
        number = f"-{self.number}" if self.number else ""
        return f"{self.environment}-{self.moment:{_MOMENT}}{number}{SUFFIX}"
