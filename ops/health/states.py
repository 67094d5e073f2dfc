"""What is known of a part, and of all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings

from ops.said import pack, translated, unpack


class Status(StrEnum):
    """From best to worst; of a part that is not configured there is nothing to say."""

    DISABLED = "disabled"
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"

    @property
    def rank(self) -> int:
        return list(Status).index(self)


class Sample(NamedTuple):
    """One figure, by the name that Prometheus knows it by."""

    name: str
    value: float
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found. `value` is the figure that its threshold is about; `detail` names no address, path
    or secret, for it is shown to whoever may see figures.
    """

    status: Status
    detail: str = ""
    value: float | None = None
    samples: list[Sample] = field(default_factory=list)


def sample(name: str, value: float, /, **labels: str) -> Sample:
    return Sample(name, float(value), labels)


def worst(*statuses: Status) -> Status:
    return max(statuses, key=lambda status: status.rank)


@dataclass(frozen=True, slots=True)
class State:
    """A part as it was found at `at`; it has had this status since `since`. Both in Unix seconds."""

    part: str
    status: Status
    seconds: float
    since: float
    at: float
    detail: str = ""
    value: float | None = None
    samples: list[Sample] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """With figures, for whoever may see them."""
        return {
            "status": self.status.value,
            "seconds": round(self.seconds, 4),
            "since": round(self.since, 3),
            "detail": self.detail,
            "value": self.value,
        }

    @property
    def shown(self) -> str:
        """The detail in the reader's language."""
        return translated(self.detail)

    def packed(self) -> dict[str, Any]:
        return {**asdict(self), "detail": pack(self.detail)}

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> State:
        samples = [Sample(*one) for one in packed["samples"]]
        read = {"status": Status(packed["status"]), "detail": unpack(packed["detail"]), "samples": samples}
        return cls(**{**packed, **read})


@dataclass(frozen=True, slots=True)
class Health:
    """All parts. `at` is when somebody looked last, in Unix seconds."""

    at: float
    states: dict[str, State]

    @property
    def status(self) -> Status:
        """Down where a part is down that AFN_READY_NEEDS names; degraded where any other is not well."""
        needed = set(settings.AFN_READY_NEEDS)
        if any(state.status == Status.DOWN for part, state in self.states.items() if part in needed):
            return Status.DOWN
        wrong = any(state.status.rank > Status.OK.rank for state in self.states.values())
        return Status.DEGRADED if wrong else Status.OK

    @property
    def is_ready(self) -> bool:
        return self.status != Status.DOWN

    def as_json(self, *, with_figures: bool) -> dict[str, Any]:
        """Without figures: of each part nothing but its status."""
        parts = {
            part: state.as_json() if with_figures else state.status.value
            for part, state in self.states.items()
        }
        return {"status": self.status.value, "parts": parts, "at": round(self.at, 3)}
