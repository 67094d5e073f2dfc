"""Which arm a subject gets: the same one every time, on every server, without anything stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from vectors.errors import shown

from .errors import InvalidSubject, InvalidWeights

_BITS: Final = 53  # of a double's mantissa: every share is exact


def stable_share(salt: str, subject: str) -> float:
    """A share in [0, 1) that depends on `salt` and `subject` only, and on nothing else of either's length.

    SHA-256 of: the number of bytes of the salt in UTF-8 (8 bytes, big-endian), these bytes, and the bytes of
    the subject in UTF-8; so ("a", "bc") and ("ab", "c") differ. The first 8 bytes of the digest, big-endian,
    without their last 11 bits, over 2^53. Experiments need salts of their own, or their arms would go
    together. Raises InvalidSubject for a text with lone surrogates.
    """
    salted = _encoded(salt, "salt")
    layout = len(salted).to_bytes(8, "big") + salted + _encoded(subject, "subject")
    digest = hashlib.sha256(layout).digest()
    return (int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / (1 << _BITS)


def choose(share: float, weights: Sequence[int]) -> int:
    """The arm whose part of 0…1 holds `share`: parts in the order of the arms, as long as their weights.

    Where one weight grows by as much as its neighbour's shrinks, only the bound between them moves: no
    subject changes but those who must. So keep the total, and the order of the arms. Arithmetic is exact. An
    arm of weight 0 gets nobody. Raises InvalidWeights unless weights are whole, not negative and not all
    zero, and InvalidSubject for a share outside [0, 1).
    """
    for at, weight in enumerate(weights):
        if not isinstance(weight, int) or weight < 0:
            raise InvalidWeights(f"weights[{at}]", "a whole number of at least 0", shown(weight))
    total = sum(weights)
    if total == 0:
        raise InvalidWeights("weights", "at least one above 0", shown(list(weights)))
    if not 0 <= share < 1:
        raise InvalidSubject("share", "a number of at least 0 and below 1", shown(share))
    numerator, denominator = share.as_integer_ratio()
    position = numerator * total // denominator
    arm = 0
    while position >= weights[arm]:
        position -= weights[arm]
        arm += 1
    return arm


def _encoded(text: str, field: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidSubject(field, "Unicode text", f"a lone surrogate at position {error.start}") from error
