"""Keys on disk, and what a real server makes of the tokens that they sign."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from afn_project.libsql import dbapi, errors
from ops.environments import tokens
from ops.environments.base import EnvironmentProblem, NotConfigured, WrongName
from tests.sqld import Sqld, company_sqld

HOUR = timedelta(hours=1)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    tokens.generate_keys(folder)
    return folder


def mint(keys: Path, namespace: str | None = None, *, read_only: bool = False) -> tokens.Token:
    return tokens.mint_token(keys, namespace=namespace, read_only=read_only, lifetime=HOUR)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_keys_are_for_their_owner_only(keys: Path) -> None:
    assert [mode(keys), mode(keys / "signing.pem"), mode(keys / "public.pem")] == [0o700, 0o600, 0o644]
    assert sorted(os.listdir(keys)) == ["public.pem", "signing.pem"]
    assert b"PRIVATE" not in (keys / "public.pem").read_bytes()


@pytest.mark.parametrize("left", ["signing.pem", "public.pem"])
def test_keys_are_never_overwritten(keys: Path, left: str) -> None:
    (keys / {"signing.pem": "public.pem", "public.pem": "signing.pem"}[left]).unlink()
    before = (keys / left).read_bytes()
    with pytest.raises(EnvironmentProblem, match=f"{left} already"):
        tokens.generate_keys(keys)
    assert [path.read_bytes() for path in keys.iterdir()] == [before]


def test_rotating_keeps_the_older_keys_and_retiring_ends_them(keys: Path) -> None:
    def count() -> int:
        return (keys / "public.pem").read_bytes().count(b"BEGIN PUBLIC KEY")

    first = (keys / "signing.pem").read_bytes()
    assert tokens.rotate_keys(keys) == keys / "public.pem"
    tokens.rotate_keys(keys)
    assert count() == 3
    assert (keys / "signing.pem").read_bytes() != first
    assert mode(keys / "signing.pem") == 0o600
    assert tokens.retire_keys(keys) == 2
    assert count() == 1
    assert tokens.retire_keys(keys) == 0
    assert sorted(os.listdir(keys)) == ["public.pem", "signing.pem"]


def test_a_lost_public_file_is_made_anew_of_the_signing_key(keys: Path) -> None:
    before = (keys / "public.pem").read_bytes()
    (keys / "public.pem").unlink()
    tokens.retire_keys(keys)
    assert (keys / "public.pem").read_bytes() == before


@pytest.mark.parametrize("others", [0o640, 0o604, 0o620, 0o677])
def test_a_key_that_others_can_use_is_refused_with_the_command_that_mends_it(keys: Path, others: int) -> None:
    (keys / "signing.pem").chmod(others)
    for use in (lambda: mint(keys), lambda: tokens.rotate_keys(keys)):
        with pytest.raises(NotConfigured, match=f"chmod 600 {keys}/signing.pem"):
            use()


def test_a_folder_that_others_can_enter_is_refused(keys: Path) -> None:
    keys.chmod(0o755)
    with pytest.raises(NotConfigured, match=f"chmod 700 {keys}"):
        tokens.rotate_keys(keys)


def test_a_link_in_place_of_the_key_is_not_followed(keys: Path, tmp_path: Path) -> None:
    (keys / "signing.pem").rename(tmp_path / "elsewhere.pem")
    (keys / "signing.pem").symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(NotConfigured, match="cannot be read"):
        mint(keys)


def test_a_missing_key_is_said_to_be_missing(tmp_path: Path) -> None:
    assert not tokens.has_keys(tmp_path)
    with pytest.raises(NotConfigured, match="AFN_TOKEN_KEYS"):
        mint(tmp_path)


def test_a_key_of_another_kind_is_refused_without_showing_it(keys: Path) -> None:
    other = generate_private_key(SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (pem, b"canary-key", b""):
        (keys / "signing.pem").write_bytes(content)
        with pytest.raises(NotConfigured, match="Ed25519") as raised:
            mint(keys)
        assert "canary" not in str(raised.value)
        assert raised.value.__cause__ is None


@pytest.mark.parametrize("name", ["..%2f", "a/../b", "Prod", "a" * 64, ""])
def test_a_hostile_namespace_gets_no_token(keys: Path, name: str) -> None:
    with pytest.raises(WrongName):
        mint(keys, name)


@pytest.mark.parametrize(
    ("lifetime", "allow_long"),
    [
        (timedelta(0), False),
        (-HOUR, False),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(days=30, seconds=1), True),
    ],
)
def test_lifetimes_are_bounded(keys: Path, lifetime: timedelta, allow_long: bool) -> None:
    with pytest.raises(EnvironmentProblem, match="lifetime: expected 1 second to"):
        tokens.mint_token(keys, namespace="a", read_only=True, lifetime=lifetime, allow_long=allow_long)


def test_a_token_says_what_it_is_good_for_and_hides_its_text(keys: Path) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    token = tokens.mint_token(
        keys, namespace="dev", read_only=True, lifetime=timedelta(days=30), allow_long=True, now=now
    )
    claims = jwt.decode(token.text, options={"verify_signature": False})
    assert claims == {"exp": int(token.expires_at.timestamp()), "a": "ro", "id": "dev"}
    assert token.expires_at == datetime(2026, 2, 1, 3, 4, 5, tzinfo=UTC)
    assert (token.namespace, token.access) == ("dev", "ro")
    assert str(token.text) not in f"{token!r} {token} {token.text!r}"


# On a real server


@pytest.fixture
def server(tmp_path: Path, keys: Path) -> Iterator[Sqld]:
    with company_sqld(tmp_path / "company") as running:
        running.create("dev")
        running.create("other")
        accept(running, keys)
        yield running


def accept(server: Sqld, keys: Path) -> None:
    """Start it anew with the public keys of the folder."""
    public = server.command[server.command.index("--auth-jwt-key-file") + 1]
    server.stop()
    shutil.copyfile(keys / "public.pem", public)
    server.start()


def run(server: Sqld, token: tokens.Token, sql: str, namespace: str = "dev") -> list[tuple[object, ...]]:
    connection = dbapi.connect(server.name(namespace), auth_token=token.text, timeout=5.0)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.mark.sqld
def test_the_server_holds_tokens_to_what_they_are_good_for(server: Sqld, keys: Path) -> None:
    run(server, mint(keys, "dev"), "CREATE TABLE t (x)")
    run(server, mint(keys), "INSERT INTO t VALUES (1)")
    for reader in (mint(keys, "dev", read_only=True), mint(keys, read_only=True)):
        assert run(server, reader, "SELECT x FROM t") == [(1,)]
        with pytest.raises(errors.AccessRefused):
            run(server, reader, "INSERT INTO t VALUES (2)")
    with pytest.raises(errors.NamespaceNotFound):
        run(server, mint(keys, "dev"), "SELECT 1", "other")
    assert run(server, mint(keys), "SELECT 1", "other") == [(1,)]
    assert run(server, mint(keys, "dev"), "SELECT x FROM t") == [(1,)]


@pytest.mark.sqld
def test_the_server_refuses_an_expired_token(server: Sqld, keys: Path) -> None:
    past = datetime.now(UTC) - HOUR - timedelta(seconds=90)  # it gives 60 s of grace
    expired = tokens.mint_token(keys, namespace="dev", read_only=False, lifetime=HOUR, now=past)
    with pytest.raises(errors.AccessRefused, match="expired"):
        run(server, expired, "SELECT 1")


@pytest.mark.sqld
def test_rotation_and_retirement_work_after_a_restart(server: Sqld, keys: Path) -> None:
    old = mint(keys, "dev")
    tokens.rotate_keys(keys)
    new = mint(keys, "dev")
    assert run(server, old, "SELECT 1") == [(1,)]
    with pytest.raises(errors.AccessRefused):  # the server reads the file only at its start
        run(server, new, "SELECT 1")
    accept(server, keys)
    assert run(server, old, "SELECT 1") == run(server, new, "SELECT 1") == [(1,)]
    tokens.retire_keys(keys)
    accept(server, keys)
    assert run(server, new, "SELECT 1") == [(1,)]
    with pytest.raises(errors.AccessRefused):
        run(server, old, "SELECT 1")
