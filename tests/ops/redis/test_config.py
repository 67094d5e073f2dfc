"""`init_redis_config`: what it writes starts a real server, shows no password, and replaces nothing."""

import hashlib
import json
import re
import stat
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography import x509
from django.core.management import call_command
from django.core.management.base import CommandError
from dotenv import dotenv_values
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError
from redis.retry import Retry

from ops.redis import certificates
from ops.redis.config import ACL, CONFIG, CONNECTIONS, PASSWORDS, Plan, write
from ops.redis.rights import USERS

from .conftest import secured_redis


def run(*options: str) -> str:
    output = StringIO()
    call_command("init_redis_config", *options, stdout=output, stderr=output)
    return output.getvalue()


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.redis
def test_a_server_starts_with_what_was_written(tmp_path: Path) -> None:
    folder = tmp_path / 'with "quotes" and ünïcode'
    folder.mkdir()
    with secured_redis(folder) as redis:
        for user in USERS:
            with redis.client(user) as client:
                assert client.acl_whoami() == user
        with redis.client("app") as client:
            assert client.info("memory")["maxmemory_policy"] == "volatile-lru"
            assert client.info("persistence")["aof_enabled"] == 1
    assert list((folder / "redis" / "data").rglob("*.aof"))


@pytest.mark.redis
def test_with_tls_there_is_no_other_way_in(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    with secured_redis(folder, tls=True) as redis:
        assert redis.written.url.startswith("rediss://app@127.0.0.1:")
        with redis.client("app") as client:
            assert client.ping()
        port, once = redis.server.port, Retry(NoBackoff(), 0)
        with pytest.raises(ConnectionError), Redis(port=port, retry=once) as plain:
            plain.ping()
        with (
            pytest.raises(ConnectionError, match="certificate"),
            Redis(port=port, ssl=True, retry=once) as stranger,
        ):
            stranger.ping()


@pytest.mark.redis
def test_a_certificate_of_ones_own_is_used(tmp_path: Path) -> None:
    made = certificates.make("redis.example.internal")
    files = certificates.Files(*(tmp_path / name for name in ("own.crt", "own.key", "own-ca.crt")))
    for path, content in (
        (files.certificate, made.certificate),
        (files.key, made.key),
        (files.authority, made.authority),
    ):
        path.write_bytes(content)
    options = [f"--tls-cert={files.certificate}", f"--tls-key={files.key}", f"--tls-ca={files.authority}"]
    report = json.loads(run("--folder", str(tmp_path / "r"), *options, "--json"))
    assert f'tls-cert-file "{files.certificate}"' in Path(report["config"]).read_text()
    assert report["url"] == f"rediss://app@127.0.0.1:6379/0?ssl_ca_certs={files.authority}"
    assert not (tmp_path / "r" / "redis.key").exists()


def test_passwords_stand_in_one_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    output = run("--folder", str(tmp_path), "--tls")
    values = dotenv_values(tmp_path / CONNECTIONS)
    passwords = [str(values[name]) for name in PASSWORDS.values()]
    assert len(set(passwords)) == 4
    assert min(len(password) for password in passwords) >= 40
    for name, content in snapshot(tmp_path).items():
        found = [password for password in passwords if password.encode() in content]
        assert found == (passwords if name == CONNECTIONS else [])
    assert not any(password in output for password in passwords)
    users = (tmp_path / ACL).read_text()
    assert all(hashlib.sha256(password.encode()).hexdigest() in users for password in passwords)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    private = (CONNECTIONS, ACL, CONFIG, "redis.key")
    assert {modes[name] for name in private} == {0o600}
    assert modes["data"] == 0o700


def test_nothing_is_replaced_unless_it_is_asked_for(tmp_path: Path) -> None:
    run("--folder", str(tmp_path))
    before = snapshot(tmp_path)
    with pytest.raises(
        CommandError, match=r"holds connections\.env, users\.acl, redis\.conf already.*--force"
    ):
        run("--folder", str(tmp_path))
    (tmp_path / CONFIG).unlink()
    (tmp_path / ACL).unlink()
    with pytest.raises(CommandError, match=r"holds connections\.env already"):
        run("--folder", str(tmp_path))
    assert snapshot(tmp_path) == {CONNECTIONS: before[CONNECTIONS]}
    run("--folder", str(tmp_path), "--force")
    after = snapshot(tmp_path)
    assert set(after) == set(before)
    assert after[CONNECTIONS] != before[CONNECTIONS]


def test_a_dangling_link_is_something_that_is_there(tmp_path: Path) -> None:
    (tmp_path / ACL).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CommandError, match=r"holds users\.acl already"):
        run("--folder", str(tmp_path))
    assert not (tmp_path / "elsewhere").exists()
    run("--folder", str(tmp_path), "--force")
    assert not (tmp_path / ACL).is_symlink()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--port", "0"], "--port: expected a number from 1 to 65535, got 0"),
        (["--port", "65536"], "--port: expected a number"),
        (["--host", "redis.example.internal"], "--host: expected --tls with redis.example.internal"),
        (["--host", "0.0.0.0"], "--host: expected --tls"),
        (["--host", "a b", "--tls"], "--host: expected a host name or an address, got 'a b'"),
        (["--host", "a\nport 1", "--tls"], "--host: expected a host name"),
        (["--host", "h/0?x=1", "--tls"], "--host: expected a host name"),
        (["--data-dir", "a\nport 1"], "--data-dir: expected a path of printable characters"),
        (["--tls-cert", "a"], "together, got none of --tls-key, --tls-ca"),
        (["--tls-cert=a", "--tls-key=b", "--tls-ca=c"], "--tls-cert: expected a file in PEM, got"),
        (["--tls", "--tls-cert=a", "--tls-key=b", "--tls-ca=c"], "--tls: expected either it"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is(
    tmp_path: Path, options: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=re.escape(message)):
        run("--folder", str(tmp_path / "r"), *options)
    assert not (tmp_path / "r").exists()


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    one, other = certificates.make("localhost"), certificates.make("localhost")
    (tmp_path / "a.crt").write_bytes(one.certificate)
    (tmp_path / "b.key").write_bytes(other.key)
    (tmp_path / "ca.crt").write_bytes(b"no certificate")
    files = certificates.Files(tmp_path / "a.crt", tmp_path / "b.key", tmp_path / "ca.crt")
    with pytest.raises(certificates.CertificateProblem, match="--tls-key: expected the key"):
        write(Plan(tmp_path / "r", tls=files))
    (tmp_path / "b.key").write_bytes(one.key)
    with pytest.raises(certificates.CertificateProblem, match="--tls-ca: expected certificates"):
        write(Plan(tmp_path / "r", tls=files))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="--folder: expected a folder that this user can write to"):
        run("--folder", str(tmp_path / "file" / "r"))


def test_the_certificate_is_for_its_host_and_this_machine_and_signs_nothing() -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    made = certificates.make("10.1.2.3", now=now)
    certificate = x509.load_pem_x509_certificate(made.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name) for name in names.get_values_for_type(x509.IPAddress)] == [
        "10.1.2.3",
        "127.0.0.1",
        "::1",
    ]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.not_valid_after_utc - now <= timedelta(days=825)
    authority = x509.load_pem_x509_certificate(made.authority)
    certificate.verify_directly_issued_by(authority)
    assert authority.public_key() != certificate.public_key()
