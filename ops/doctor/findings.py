"""What an examination finds: good, a warning or a problem each, with its cause and what mends it."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """From best to worst."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`cause` says why it matters, `remedy` the command or the setting that mends it; both are empty where
    all is well."""

    area: str
    name: str
    status: Status
    found: str
    cause: str = ""
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Notes:
    """The findings of one examination, as it goes on: those before a failure count."""

    area: str
    findings: list[Finding] = field(default_factory=list)

    def ok(self, name: str, found: str) -> None:
        self.findings.append(Finding(self.area, name, Status.OK, found))

    def warn(self, name: str, found: str, cause: str, remedy: str) -> None:
        self.findings.append(Finding(self.area, name, Status.WARNING, found, cause, remedy))

    def problem(self, name: str, found: str, cause: str, remedy: str) -> None:
        self.findings.append(Finding(self.area, name, Status.PROBLEM, found, cause, remedy))


@dataclass(slots=True)
class Report:
    findings: list[Finding] = field(default_factory=list)

    def count(self, status: Status) -> int:
        return sum(finding.status == status for finding in self.findings)

    @property
    def is_well(self) -> bool:
        return not self.count(Status.PROBLEM)

    def as_json(self) -> dict[str, Any]:
        return {
            "is_well": self.is_well,
            "problems": self.count(Status.PROBLEM),
            "warnings": self.count(Status.WARNING),
            "findings": [finding.as_json() for finding in self.findings],
        }
