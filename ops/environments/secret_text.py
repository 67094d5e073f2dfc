"""A secret that is used as text and shown nowhere."""


class SecretText(str):
    """A text whose repr hides it: debug pages print the repr of every local variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"
