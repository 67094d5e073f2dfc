"""What was found at one Redis: good, a warning or a failure each, with what to do about it."""

from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    level: Level
    text: str
    remedy: str = ""


@dataclass(slots=True)
class Report:
    """`address` has no password. `uses` are `cache`, `queue` or both."""

    address: str
    uses: tuple[str, ...]
    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        return all(finding.level != "failure" for finding in self.findings)

    def ok(self, name: str, text: str) -> None:
        self.findings.append(Finding(name, "ok", text))

    def warn(self, name: str, text: str, remedy: str) -> None:
        self.findings.append(Finding(name, "warning", text, remedy))

    def fail(self, name: str, text: str, remedy: str) -> None:
        self.findings.append(Finding(name, "failure", text, remedy))
