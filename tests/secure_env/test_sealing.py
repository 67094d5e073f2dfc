"""The form of `.env.enc`: what opens it, and that nothing else does."""

import re
import time

import pytest

from afn_project.secure_env.problems import SecretProblem, WrongKey
from afn_project.secure_env.sealing import Cost, seal, unseal

KEY, OTHER = "k" * 43, "o" * 43
CANARY = b"SECRET_KEY=canary-7d1f"


@pytest.fixture(scope="module")
def sealed() -> bytes:
    """At the real cost."""
    return seal(CANARY, KEY)


def refusal(content: bytes, key: str = KEY) -> str:
    with pytest.raises(SecretProblem) as caught:
        unseal(content, key, ".env.enc")
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "canary" not in str(caught.value)
    assert KEY not in str(caught.value)
    return str(caught.value)


def test_what_was_sealed_opens_with_its_key_alone(sealed: bytes) -> None:
    assert unseal(sealed, KEY, ".env.enc") == CANARY
    with pytest.raises(WrongKey, match=r"\.env\.enc was encrypted with another key"):
        unseal(sealed, OTHER, ".env.enc")


def test_the_header_says_how_the_key_is_derived(sealed: bytes) -> None:
    lines = sealed.decode().splitlines()
    assert lines[0] == "AFN-ENV 1"
    found = re.fullmatch(r"kdf: scrypt n=(\d+) r=8 p=1", lines[1])
    assert found
    assert int(found[1]) >= 2**15
    assert CANARY not in sealed


@pytest.mark.usefixtures("cheap")
def test_each_encryption_has_a_salt_of_its_own() -> None:
    salts = {seal(CANARY, KEY).splitlines()[2] for _ in range(8)}
    assert len(salts) == 8


@pytest.mark.usefixtures("cheap")
def test_a_changed_byte_anywhere_opens_nothing() -> None:
    content = seal(b"A=1", KEY)
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        refusal(bytes(changed))


@pytest.mark.usefixtures("cheap")
def test_a_file_that_was_cut_off_anywhere_opens_nothing() -> None:
    content = seal(b"A=1", KEY)
    for length in range(len(content)):
        assert "Restore it from a copy" in refusal(content[:length])


@pytest.mark.parametrize(
    "cost",
    [
        "n=1073741824 r=8 p=1",
        "n=262144 r=8 p=1",
        "n=32769 r=8 p=1",
        "n=1024 r=8 p=1",
        "n=32768 r=1024 p=1",
        "n=32768 r=8 p=5",
        "n=32768 r=8 p=9999",
    ],
)
def test_a_file_cannot_ask_for_more_than_its_share_nor_be_cheap_to_guess(sealed: bytes, cost: str) -> None:
    start = time.monotonic()
    message = refusal(sealed.replace(b"n=32768 r=8 p=1", cost.encode()))
    assert f"expected scrypt with n from 32768 to 131072, r=8 and p up to 4, got {cost}" in message
    assert time.monotonic() - start < 0.05  # nothing was derived


def test_the_highest_cost_is_an_eighth_of_a_gigabyte() -> None:
    assert Cost(2**17, 8, 4).is_usable
    assert Cost(2**17, 8, 4).memory < 135_000_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"SECRET_KEY=canary\n", "is no file of `manage.py secure_env encrypt`"),
        (b"AFN-ENV 2\nkdf: argon2\n", "has the format 2, and this release of AFN reads format 1"),
        (b"AFN-ENV 1\nkdf: scrypt n=-1 r=8 p=1\n", "is cut off, or its header was changed"),
        (b"AFN-ENV canary\n", "is cut off, or its header was changed"),
    ],
)
def test_what_is_no_such_file_is_said(content: bytes, message: str) -> None:
    assert refusal(content).startswith(f".env.enc {message}.")


@pytest.mark.usefixtures("cheap")
def test_line_ends_that_git_has_changed_do_no_harm() -> None:
    assert unseal(seal(CANARY, KEY).replace(b"\n", b"\r\n"), KEY, ".env.enc") == CANARY
