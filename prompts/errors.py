"""What the registry refuses to do. Each error names the field, what was expected and what came."""

from typing import Any


class RegistryProblem(Exception):
    """Base of them; ``field`` is the argument at fault, ``expected`` and ``got`` are ready to be shown."""

    def __init__(self, field: str, expected: str, got: str, hint: str = "") -> None:
        self.field = field
        self.expected = expected
        self.got = got
        self.hint = hint
        super().__init__(field, expected, got, hint)

    def __str__(self) -> str:
        message = f"{self.field}: expected {self.expected}, got {self.got}."
        return f"{message} {self.hint}" if self.hint else message

    @property
    def sentence(self) -> str:
        """The same without the field, for a page that says it beside the field."""
        return f"Expected {self.expected}, got {self.got}. {self.hint}".strip()


class NotThere(RegistryProblem):
    """There is no such version, label or prompt."""


class Refused(RegistryProblem):
    """What is asked does not go with what is stored, such as deleting what another prompt includes."""


class Protected(RegistryProblem):
    """A protected label, and a user who may not move those."""


class EvidenceMissing(Refused):
    """A label's policy asks for evidence that there is not; ``evidence`` are the figures."""

    def __init__(self, field: str, expected: str, got: str, evidence: dict[str, Any]) -> None:
        super().__init__(field, expected, got)
        self.evidence = evidence


class CompositionProblem(RegistryProblem):
    """What a prompt includes is missing, goes round in a circle, is nested too deeply or grows too long."""
