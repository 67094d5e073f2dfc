"""What may differ between places: each variable with its type, and a start that stops at a wrong value.

`read` judges variables alone; `start` reads the settings in a process of their own, as a server does.
"""

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from afn_project import redis_urls, secret_key
from afn_project.env import BASE_DIR, REFUSED, Env, read_env, secret_names
from afn_project.secret_files import SUFFIX
from tests.processes import clean_environment, manage

CANARY = "canary-7d1f"
START = """
import json, sys
from django.core.exceptions import ImproperlyConfigured
try:
    from afn_project import settings
except ImproperlyConfigured as error:
    sys.exit(str(error))
print(json.dumps({name: eval(name, vars(settings)) for name in json.loads(sys.argv[1])}, default=str))
"""


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Env]:
    """Read these variables and the lines of a file `.env`, and nothing else."""
    for name in (*Env.model_fields, *REFUSED, *(name + SUFFIX for name in secret_names())):
        monkeypatch.delenv(name.upper(), raising=False)

    def read(file: str | bytes = "", **variables: str) -> Env:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        path = tmp_path / ".env"
        path.write_bytes(file.encode() if isinstance(file, str) else file)
        return read_env(path)

    return read


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Any]:
    """The values of these expressions in the settings of a new process, or why it does not start."""
    if (BASE_DIR / ".env").exists() or (BASE_DIR / ".env.enc").exists():
        pytest.skip("this checkout has a .env of its own")

    def start(*expressions: str, **variables: str) -> Any:
        defaults = {"SECRET_KEY": "k" * 50, "AFN_DATABASE_FILE": str(tmp_path / "afn.db")}
        environment = clean_environment(**defaults | variables)
        command = [sys.executable, "-W", "error", "-c", START, json.dumps(expressions)]
        done = subprocess.run(
            command, env=environment, cwd=BASE_DIR, capture_output=True, text=True, timeout=60
        )
        return list(json.loads(done.stdout).values()) if done.returncode == 0 else done.stderr

    return start


def refusal(read: Callable[..., Env], file: str = "", **variables: str) -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(file, **variables)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_nothing_has_to_be_set(read: Callable[..., Env]) -> None:
    env = read()
    assert (env.environment, env.debug, env.secret_key, env.turso_database_url) == (
        "production",
        False,
        None,
        None,
    )
    assert env.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert env.afn_database_file == BASE_DIR / "var" / "afn.db"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.org", ["a.org"]),
        ("a.org,b.org", ["a.org", "b.org"]),
        (" a.org , b.org  c.org\t", ["a.org", "b.org", "c.org"]),
        (",", []),
        ("[::1]", ["[::1]"]),
    ],
)
def test_lists_are_separated_by_commas_or_spaces(
    read: Callable[..., Env], text: str, names: list[str]
) -> None:
    assert read(ALLOWED_HOSTS=text).allowed_hosts == names


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("off", False), ("No", False)],
)
def test_switches_have_many_words(read: Callable[..., Env], text: str, value: bool) -> None:
    assert read(DEBUG=text).debug is value


def test_an_empty_value_is_none(read: Callable[..., Env]) -> None:
    empty = {name.upper(): "" for name in Env.model_fields}
    assert read(**empty, ALEMBIC_CONFIG="") == Env(_env_file=None)


def test_the_environment_wins_over_the_file(read: Callable[..., Env]) -> None:
    file = "# comment\nLOG_LEVEL=ERROR\nTIME_ZONE='Asia/Tokyo'\nUNKNOWN=1\nallowed_hosts=from-file\n"
    env = read(file, LOG_LEVEL="DEBUG")
    assert (env.log_level, env.time_zone, env.allowed_hosts) == ("DEBUG", "Asia/Tokyo", ["from-file"])


def test_a_relative_database_file_is_the_same_everywhere(
    read: Callable[..., Env], monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(AFN_DATABASE_FILE="var/afn.db").afn_database_file == BASE_DIR / "var" / "afn.db"
    assert read(AFN_DATABASE_FILE="/srv/afn.db").afn_database_file == Path("/srv/afn.db")
    assert str(read(AFN_DATABASE_FILE=":memory:").afn_database_file) == ":memory:"


WRONG = [
    ("ENVIRONMENT", "prod", "'development', 'staging' or 'production'"),
    ("DEBUG", "maybe", "valid boolean"),
    ("LOG_LEVEL", "loud", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ("TIME_ZONE", "Mars/Base", "an IANA name such as Asia/Tokyo"),
    ("TIME_ZONE", "../../etc/passwd", "an IANA name"),
    ("CSRF_TRUSTED_ORIGINS", "afn.example.org", "origins such as https://afn.example.org"),
    ("AFN_CORS_ORIGINS", "*", "origins such as https://afn.example.org"),
    ("AFN_CORS_ORIGINS", "https://a.org/path", "origins such as"),
    ("AFN_DATABASE_TIMEOUT", "0", "greater than 0"),
    ("AFN_DATABASE_TIMEOUT", "nan", "less than or equal to 300"),
    ("AFN_DATABASE_TIMEOUT", "301", "less than or equal to 300"),
    ("DB_POOL_RECYCLE", "-1", "greater than or equal to 0"),
    ("DB_POOL_SIZE", "0", "greater than or equal to 1"),
    ("DB_POOL_TIMEOUT", "0", "greater than 0"),
    ("AFN_SERVER_TIMEOUT", "601", "less than or equal to 600"),
    ("AFN_READ_YOUR_WRITES", "-1", "greater than or equal to 0"),
    ("AFN_PROCESSES", "0", "greater than or equal to 1"),
    ("AFN_ENVIRONMENT", "../prod", "1 to 63 lower-case letters"),
    ("AFN_ENVIRONMENT", "..%2f", "1 to 63 lower-case letters"),
    ("AFN_ENVIRONMENT", "Prod", "1 to 63 lower-case letters"),
    ("DB_ECHO", "2", "valid boolean"),
    ("REDIS_DB", "16", "less than or equal to 15"),
    ("REDIS_DB", "first", "valid integer"),
    ("REDIS_MAX_RETRIES", "11", "less than or equal to 10"),
    ("REDIS_RETRY_DELAY", "0.5", "valid integer"),
    ("AFN_EMBEDDER", "word2vec", "'wordllama', 'openai' or 'sentence-transformers'"),
    ("VECTOR_DIMENSION", "0", "greater than or equal to 1"),
    ("VECTOR_METRIC", "dot", "'cosine' or 'l2'"),
    ("VECTOR_INDEX_TYPE", "flat", "'auto', 'exact', 'quantised', 'ivf' or 'diskann'"),
    ("VECTOR_INDEX_TYPE", "hnsw", "libSQL has no hnsw index"),
    ("VECTOR_INDEX_TYPE", "IVFFlat", "libSQL has no IVFFlat index"),
    ("VECTOR_INDEX_TYPE", "vec0", "libSQL has no vec0 index"),
    ("AFN_MAX_BODY_MB", "101", "less than or equal to 100"),
    ("AFN_OUTGOING_ALLOWED", "localhost,10.1.0.1/16", "host:port, *.suffix, or a network such as"),
    ("AFN_OUTGOING_ALLOWED", "https://a.org", "host:port, *.suffix, or a network such as"),
    ("CLERK_ISSUER", "http://a.org", "an address such as https://example.clerk.accounts.dev"),
    ("CLERK_ISSUER", "a.org", "an address such as https://"),
    ("CLERK_JWKS_URL", "file:///etc/passwd", "an address such as https://"),
    ("CLERK_LEEWAY", "61", "less than or equal to 60"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(
    read: Callable[..., Env], name: str, value: str, allowed: str
) -> None:
    message = refusal(read, **{name: value})
    assert f"\n  {name}: " in message
    assert allowed in message
    assert value in message
    assert refusal(read, f"{name}={value}\n") == message


def test_tokens_of_clerk_are_for_listed_front_ends_only(read: Callable[..., Env]) -> None:
    issuer = "https://example.clerk.accounts.dev"
    assert "CLERK_AUTHORIZED_PARTIES: Expected the origins" in refusal(read, CLERK_ISSUER=issuer)
    env = read(CLERK_ISSUER=issuer, CLERK_AUTHORIZED_PARTIES="https://a.org, https://b.org")
    assert env.clerk_authorized_parties == ["https://a.org", "https://b.org"]


def test_every_wrong_value_is_named_at_once(read: Callable[..., Env]) -> None:
    message = refusal(read, "ALEMBIC_CONFIG=a.ini\n", DEBUG="maybe", REDIS_DB="x")
    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == [
        "ALEMBIC_CONFIG",
        "DEBUG",
        "REDIS_DB",
    ]


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_have_no_effect_is_refused_wherever_it_stands(read: Callable[..., Env], name: str) -> None:
    assert f"{name}: {REFUSED[name]}" in refusal(read, f"{name}=x\n")
    assert f"{name}: {REFUSED[name]}" in refusal(read, f"export {name.lower()}='x'\n")
    assert f"{name}: {REFUSED[name]}" in refusal(read, **{name: "x"})


def test_a_key_too_short_to_encrypt_with_stops_the_start_unseen(read: Callable[..., Env]) -> None:
    message = refusal(read, AFN_DATABASE_KEY=CANARY)
    assert "AFN_DATABASE_KEY" in message
    assert "32" in message
    assert CANARY not in message
    assert read(AFN_DATABASE_KEY="k" * 32).afn_database_key is not None


SECRETS = [
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "TURSO_AUTH_TOKEN",
    "AFN_DATABASE_KEY",
    "AFN_BACKUP_KEY",
    "AFN_BACKUPS_S3_ACCESS_KEY",
    "AFN_BACKUPS_S3_SECRET_KEY",
    "AFN_SQLD_ADMIN_KEY",
    "TURSO_API_TOKEN",
    "REDIS_PASSWORD",
    "CELERY_BROKER_PASSWORD",
    "OPENAI_API_KEY",
    "AFN_LLM_API_KEY",
    "AFN_METRICS_TOKEN",
]


def test_every_secret_is_declared_as_one() -> None:
    declared = {
        name.upper() for name, field in Env.model_fields.items() if "SecretStr" in str(field.annotation)
    }
    assert declared == set(SECRETS)


ADDRESSES = [
    *("TURSO_DATABASE_URL", "TURSO_REPLICA_URL", "TURSO_SYNC_URL"),
    *("REDIS_URL", "CELERY_BROKER_URL", "AFN_BACKUP_REDIS_URL", "AFN_EMAIL_URL"),
]


def test_what_is_or_may_hold_a_secret_can_come_from_a_file(read: Callable[..., Env], tmp_path: Path) -> None:
    assert set(SECRETS) <= set(secret_names())
    declared = {
        name for name in secret_names() if "SecretStr" in str(Env.model_fields[name.lower()].annotation)
    }
    assert set(secret_names()) - declared == set(ADDRESSES)
    (tmp_path / "secret").write_text(CANARY * 4)
    for name in secret_names():
        value = getattr(read(f"{name}_FILE={tmp_path / 'secret'}\n"), name.lower())
        assert getattr(value, "get_secret_value", lambda value=value: value)() == CANARY * 4, name
    assert not {f"{name}_FILE" for name in secret_names()} & {name.upper() for name in Env.model_fields}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("s", "s"),
        ("s\n", "s"),
        ("s\r\n", "s"),
        ("s\n\n", "s\n"),
        (" s ", " s "),
        ("$s#ü", "$s#ü"),
        ("s" * 64_000, "s" * 64_000),
    ],
)
def test_one_line_break_at_the_end_of_a_secret_file_is_no_part_of_it(
    read: Callable[..., Env], tmp_path: Path, content: str, value: str
) -> None:
    (tmp_path / "secret").write_bytes(content.encode()[:64_000])
    env = read(SECRET_KEY_FILE=str(tmp_path / "secret"))
    assert env.secret_key is not None
    assert env.secret_key.get_secret_value() == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        (b"", "expected a file with the value, got an empty one"),
        (b"\n", "expected a file with the value, got an empty one"),
        (b"canary-7d1f\xfc", "expected UTF-8 text, got other bytes"),
        (b"canary-7d1f" * 6_000, "expected 64,000 bytes at most, got more"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_named_and_not_quoted(
    read: Callable[..., Env], tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    found = refusal(read, REDIS_PASSWORD_FILE=str(path))
    assert f"\n  REDIS_PASSWORD_FILE={path}: {message}." in found
    assert CANARY not in found
    assert refusal(read, f"redis_password_file={path}\n", REDIS_PASSWORD_FILE="") == found


def test_folders_and_pipes_are_no_secret_files(read: Callable[..., Env], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert f"SECRET_KEY_FILE={tmp_path}: expected a file, got a folder." in refusal(
        read, SECRET_KEY_FILE=str(tmp_path)
    )
    pipe = str(tmp_path / "pipe")
    assert f"SECRET_KEY_FILE={pipe}: expected a file, got something else." in refusal(
        read, SECRET_KEY_FILE=pipe
    )


def test_a_secret_file_that_may_not_be_read_is_named(
    read: Callable[..., Env], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for another user than this one, who may be root."""

    path = tmp_path / "secret"
    path.write_text(CANARY)
    open_file = os.open

    def open_others(name: Any, *arguments: Any) -> int:
        if name == path:
            raise PermissionError(13, "Permission denied")
        return open_file(name, *arguments)

    monkeypatch.setattr("afn_project.secure_env.files.os.open", open_others)
    assert f"SECRET_KEY_FILE={path} cannot be read: Permission denied." in refusal(
        read, SECRET_KEY_FILE=str(path)
    )


@pytest.mark.parametrize("secret", [CANARY, f"{CANARY}/abc+/=", f"{CANARY}\u0100" * 100])
def test_a_secret_in_place_of_the_path_of_its_file_is_not_shown(
    read: Callable[..., Env], secret: str
) -> None:
    found = refusal(read, SECRET_KEY_FILE=secret)
    assert "\n  SECRET_KEY_FILE" in found
    assert CANARY not in found


def test_a_secret_and_its_file_are_not_both_taken(read: Callable[..., Env], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of-the-file")
    path = str(tmp_path / "secret")
    both = f"SECRET_KEY={CANARY}\nSECRET_KEY_FILE={path}\n"
    expected = "\n  SECRET_KEY: expected either it or SECRET_KEY_FILE, got both."
    assert expected in refusal(read, both)
    assert CANARY not in refusal(read, both)
    assert expected in refusal(read, SECRET_KEY=CANARY, SECRET_KEY_FILE=path)


def test_the_environment_wins_over_the_file_in_either_form(
    read: Callable[..., Env], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("of-the-file")
    path = str(tmp_path / "secret")

    def key(env: Env) -> str:
        return env.secret_key.get_secret_value() if env.secret_key else ""

    assert (
        key(read(f"SECRET_KEY_FILE={path}-none\n", SECRET_KEY="of-the-environment")) == "of-the-environment"
    )
    monkeypatch.delenv("SECRET_KEY")
    assert key(read("SECRET_KEY=of-the-env\n", SECRET_KEY_FILE=path)) == "of-the-file"
    assert key(read(f"SECRET_KEY_FILE={path}\n", SECRET_KEY="", SECRET_KEY_FILE="")) == "of-the-file"


def test_a_secret_file_has_the_bounds_of_its_variable(read: Callable[..., Env], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CANARY)
    found = refusal(read, AFN_DATABASE_KEY_FILE=str(tmp_path / "secret"))
    assert "\n  AFN_DATABASE_KEY: " in found
    assert CANARY not in found


def test_the_settings_start_with_secrets_in_files(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "redis").write_text("redis://:p@h/0\n")
    (tmp_path / "key").write_text("s" * 50 + "\n")
    found = start(
        "REDIS_URL",
        "SECRET_KEY",
        SECRET_KEY="",
        REDIS_URL_FILE=str(tmp_path / "redis"),
        SECRET_KEY_FILE=str(tmp_path / "key"),
    )
    assert found == ["redis://:p@h/0", "s" * 50]


@pytest.mark.parametrize("from_file", [True, False])
def test_no_message_shows_a_secret(read: Callable[..., Env], from_file: bool) -> None:
    names = [*SECRETS, "AFN_SECRET_OF_OTHERS", "TURSO_AUTH_TOKEN_OLD"]
    wrong = {"DEBUG": "maybe", "VECTOR_METRIC": "dot"}
    variables = {name: f"{CANARY}-{name}" for name in names} | wrong
    file = "".join(f"{name}={value}\n" for name, value in variables.items()) if from_file else ""
    message = refusal(read, file, **({} if from_file else variables))
    assert CANARY not in message
    assert "DEBUG" in message


def test_secrets_do_not_show_in_the_object(read: Callable[..., Env]) -> None:
    env = read(**dict.fromkeys(SECRETS, CANARY * 4))
    assert CANARY not in repr(env) + str(env) + env.model_dump_json()


def test_a_file_in_another_encoding_is_named(read: Callable[..., Env]) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"\.env: expected UTF-8 text"):
        read("TIME_ZONE=Zürich".encode("latin-1"))


def test_without_a_server_the_file_is_the_database(start: Callable[..., Any], tmp_path: Path) -> None:
    [database] = start("DATABASES['default']", DB_POOL_RECYCLE="60", AFN_DATABASE_TIMEOUT="2")
    assert database["NAME"] == str(tmp_path / "afn.db")
    assert (database["ENGINE"], database["CONN_MAX_AGE"]) == ("afn_project.libsql", 60)
    assert database["OPTIONS"] == {"timeout": 2.0, "encryption_key": "", "must_exist": False}


def test_a_folder_that_cannot_be_made_is_named(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert start("DEBUG", AFN_DATABASE_FILE=str(tmp_path / "file" / "afn.db")).startswith(
        "AFN_DATABASE_FILE: "
    )


SERVERS = [
    ("libsql://db.turso.io", "t", "https://db.turso.io", "t"),
    ("libsql://db.turso.io?authToken=u", "", "https://db.turso.io", "u"),
    ("libsql://db.turso.io?authToken=u", "t", "https://db.turso.io", "t"),
    ("http://127.0.0.1:8080", "", "http://127.0.0.1:8080", ""),
    ("http://localhost:8080", "", "http://localhost:8080", ""),
    ("http://[::1]:8080", "", "http://[::1]:8080", ""),
    ("http://localhost:8080?namespace=prod", "t", "http://localhost:8080?namespace=prod", "t"),
]


@pytest.mark.parametrize(("url", "token", "name", "used"), SERVERS)
def test_a_server_is_the_database_where_one_is_named(
    start: Callable[..., Any], url: str, token: str, name: str, used: str
) -> None:
    [database] = start("DATABASES['default']", TURSO_DATABASE_URL=url, TURSO_AUTH_TOKEN=token)
    assert (database["NAME"], database["OPTIONS"]["auth_token"]) == (name, used)


def test_a_server_takes_the_bounds_of_its_pool(start: Callable[..., Any]) -> None:
    [options] = start(
        "DATABASES['default']['OPTIONS']",
        TURSO_DATABASE_URL="http://localhost:8080",
        AFN_SERVER_TIMEOUT="3",
        DB_POOL_SIZE="2",
        DB_MAX_OVERFLOW="1",
        DB_POOL_TIMEOUT="4",
        DB_POOL_RECYCLE="60",
    )
    assert options == {
        "auth_token": "",
        "timeout": 3.0,
        "pool_size": 2,
        "max_overflow": 1,
        "pool_timeout": 4.0,
        "pool_recycle": 60,
    }


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"TURSO_REPLICA_URL": "http://localhost:8081"}, "http://localhost:8081"),
        (
            {"TURSO_REPLICA_URL": "http://localhost:8081", "AFN_ENVIRONMENT": "feature-x"},
            "http://localhost:8081?namespace=feature-x",
        ),
    ],
)
def test_a_replica_is_an_alias_that_is_only_read(
    start: Callable[..., Any], variables: dict[str, str], name: str
) -> None:
    replica, routers = start(
        "DATABASES['replica']", "DATABASE_ROUTERS", TURSO_DATABASE_URL="http://localhost:8080", **variables
    )
    assert replica["NAME"] == name
    assert replica["OPTIONS"]["replica_of"] == "default"
    assert routers == ["afn_project.replicas.ReplicaRouter"]


def test_a_copy_in_a_file_is_an_alias_too(start: Callable[..., Any], tmp_path: Path) -> None:
    default, replica = start(
        "DATABASES['default']['NAME']",
        "DATABASES['replica']",
        TURSO_SYNC_URL="http://localhost:8080",
        AFN_REPLICA_FILE=str(tmp_path / "copy.db"),
    )
    assert default == "http://localhost:8080"
    assert replica["NAME"] == f"file:{tmp_path / 'copy.db'}?mode=ro"
    assert replica["OPTIONS"] == {"replica_of": "default"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"TURSO_REPLICA_URL": "http://localhost"},
            "TURSO_REPLICA_URL: expected TURSO_DATABASE_URL beside it",
        ),
        (
            {"TURSO_SYNC_URL": "http://localhost", "TURSO_REPLICA_URL": "http://localhost:1"},
            "TURSO_REPLICA_URL: expected either it or TURSO_SYNC_URL, got both",
        ),
        (
            {"TURSO_SYNC_URL": "http://localhost", "TURSO_DATABASE_URL": "http://127.0.0.1"},
            "TURSO_SYNC_URL: expected the same server as TURSO_DATABASE_URL",
        ),
        ({"TURSO_SYNC_URL": "copy.db"}, "TURSO_SYNC_URL: expected libsql://"),
        (
            {
                "TURSO_DATABASE_URL": "libsql://db-org.turso.io",
                "TURSO_AUTH_TOKEN": CANARY,
                "AFN_ENVIRONMENT": "feature-x",
            },
            "AFN_ENVIRONMENT: at Turso each environment has an address and a token of its own",
        ),
        (
            {"TURSO_DATABASE_URL": "http://localhost?namespace=..%2f"},
            "TURSO_DATABASE_URL: expected libsql://",
        ),
    ],
)
def test_servers_that_do_not_go_together_are_refused(
    start: Callable[..., Any], variables: dict[str, str], message: str
) -> None:
    found = start("DEBUG", **variables)
    assert found.startswith(message)
    assert CANARY not in found


def test_an_environment_is_a_file_or_a_namespace(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "feature-x.db").touch()
    folder = {"AFN_ENVIRONMENTS_DIR": str(tmp_path)}
    [name] = start("DATABASES['default']['NAME']", AFN_ENVIRONMENT="feature-x", **folder)
    assert name == str(tmp_path / "feature-x.db")
    [options] = start("DATABASES['default']['OPTIONS']", AFN_ENVIRONMENT="feature-x", **folder)
    assert options["must_exist"] is True
    [name] = start("DATABASES['default']['NAME']", AFN_ENVIRONMENT="prod", **folder)  # the main one's name
    assert name == str(tmp_path / "afn.db")
    server = {"TURSO_DATABASE_URL": "http://localhost:8080?namespace=prod"}
    [name] = start("DATABASES['default']['NAME']", AFN_ENVIRONMENT="feature-x", **server)
    assert name == "http://localhost:8080?namespace=feature-x"


def test_an_environment_that_is_not_there_is_not_made(start: Callable[..., Any], tmp_path: Path) -> None:
    message = start("DEBUG", AFN_ENVIRONMENT="feature-y", AFN_ENVIRONMENTS_DIR=str(tmp_path))
    assert message.startswith("AFN_ENVIRONMENT: there is no environment 'feature-y'. There are: prod.")
    assert "environments fork prod feature-y" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "libsql://db.turso.io",
        "https://127.0.0.1:8080",
        "http://db.example.org",
        "http://localhost.example.org",
    ],
)
def test_a_server_without_a_token_is_refused(start: Callable[..., Any], url: str) -> None:
    assert start("DEBUG", TURSO_DATABASE_URL=url).startswith(
        "TURSO_DATABASE_URL has no token: set TURSO_AUTH_TOKEN"
    )


@pytest.mark.parametrize(
    "url",
    [
        "file:afn.db",
        "afn.db",
        "postgres://host/db",
        f"libsql://?authToken={CANARY}",
        f"libsql://[{CANARY}",
        f"http://host:port?authToken={CANARY}",
        f"https://{CANARY}\u2100@host",
    ],
)
def test_what_is_no_server_is_refused_unseen(start: Callable[..., Any], url: str) -> None:
    message = start("DEBUG", TURSO_DATABASE_URL=url, TURSO_AUTH_TOKEN=CANARY)
    assert message.startswith("TURSO_DATABASE_URL: expected libsql://")
    assert CANARY not in message


def test_a_server_is_never_replaced_by_the_file(tmp_path: Path) -> None:
    file = tmp_path / "afn.db"
    server = {"TURSO_DATABASE_URL": "libsql://db.example.org", "TURSO_AUTH_TOKEN": CANARY}
    for arguments in (["migrate"], ["search", "x"]):
        done = manage(*arguments, AFN_DATABASE_FILE=str(file), **server)
        assert done.returncode == 1
        assert "https://db.example.org cannot be reached" in done.stderr.splitlines()[-1]
        assert CANARY not in done.stdout + done.stderr
    assert done.stderr.startswith("CommandError: ")
    assert not file.exists()


REDIS = [
    ({"REDIS_URL": "redis://h"}, "redis://h"),
    ({"REDIS_URL": "redis://h:6380/3"}, "redis://h:6380/3"),
    ({"REDIS_URL": "redis://h", "REDIS_DB": "3"}, "redis://h/3"),
    ({"REDIS_URL": "redis://h/3", "REDIS_DB": "3"}, "redis://h/3"),
    ({"REDIS_URL": "redis://h/0", "REDIS_PASSWORD": "a/b@c:d"}, "redis://:a%2Fb%40c%3Ad@h/0"),
    ({"REDIS_URL": "redis://app@h/0", "REDIS_PASSWORD": "p"}, "redis://app:p@h/0"),
    ({"REDIS_URL": "redis://:u@h/0", "REDIS_PASSWORD": "p"}, "redis://:u@h/0"),
    ({"REDIS_URL": "redis://h:6379/0", "REDIS_SSL": "1"}, "rediss://h:6379/0"),
    ({"REDIS_URL": "rediss://h/0?ssl_cert_reqs=required"}, "rediss://h/0?ssl_cert_reqs=required"),
    ({"REDIS_URL": "redis://[::1]:6379", "REDIS_PASSWORD": "p"}, "redis://:p@[::1]:6379"),
    ({"REDIS_PASSWORD": "p", "REDIS_DB": "1"}, ""),
]


@pytest.mark.parametrize(("variables", "url"), REDIS)
def test_the_address_of_redis_is_made_of_its_parts(
    start: Callable[..., Any], variables: dict[str, str], url: str
) -> None:
    found, broker, cache = start("REDIS_URL", "CELERY_BROKER_URL", "CACHES['default']", **variables)
    assert (found, broker) == (url, url or "memory://localhost/")
    assert cache.get("LOCATION", "") == url


@pytest.mark.parametrize(
    "variables",
    [
        {"REDIS_URL": f"http://{CANARY}@h"},
        {"REDIS_URL": f"redis://:{CANARY}@/0"},
        {"REDIS_URL": f"redis://:{CANARY}@h:port/0"},
        {"REDIS_URL": f"redis://:{CANARY}@[h"},
        {"REDIS_URL": "localhost:6379"},
        {"REDIS_URL": f"redis://:{CANARY}@h/0", "REDIS_DB": "2"},
    ],
)
def test_a_wrong_address_of_redis_is_refused_unseen(
    start: Callable[..., Any], variables: dict[str, str]
) -> None:
    message = start("DEBUG", **variables)
    assert message.startswith("REDIS_")
    assert "expected" in message
    assert CANARY not in message


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"CELERY_BROKER_URL": "redis://q:6380/1"}, "redis://q:6380/1"),
        (
            {"CELERY_BROKER_URL": "rediss://app@q", "CELERY_BROKER_PASSWORD": "a/b"},
            "rediss://app:a%2Fb@q",
        ),
        ({"CELERY_BROKER_URL": "redis://:u@q/0", "CELERY_BROKER_PASSWORD": "p"}, "redis://:u@q/0"),
        # A password of the cache's server is not shown to another one.
        (
            {"CELERY_BROKER_URL": "redis://q", "REDIS_PASSWORD": "p", "REDIS_DB": "3", "REDIS_SSL": "1"},
            "redis://q",
        ),
    ],
)
def test_the_queue_may_have_a_redis_of_its_own(
    start: Callable[..., Any], variables: dict[str, str], url: str
) -> None:
    cache, broker = start("REDIS_URL", "CELERY_BROKER_URL", REDIS_URL="redis://h", **variables)
    assert broker == url
    assert "//q" not in cache


REFUSED_ADDRESSES = [
    (f"redis+cluster://:{CANARY}@h:6379", "clusters are not supported"),
    (f"rediss+cluster://:{CANARY}@h", "clusters are not supported"),
    (f"sentinel://:{CANARY}@h:26379/0", "Sentinel is not supported"),
    (f"redis+sentinel://:{CANARY}@h:26379/mymaster/0", "Sentinel is not supported"),
    (f"redis://:{CANARY}@h1:6379,h2:6379/0", "several addresses are not supported"),
    (f"redis://:{CANARY}@h1,redis://:{CANARY}@h2", "several addresses are not supported"),
    (f"redis://:{CANARY}@h1:6379;redis://h2:6379", "several addresses are not supported"),
]


@pytest.mark.parametrize(("url", "reason"), REFUSED_ADDRESSES)
def test_what_cache_and_queue_cannot_use_is_refused_with_the_reason(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Env, "model_config", Env.model_config | {"env_file": None})
    for name, env in (
        ("REDIS_URL", Env(redis_url=url)),
        ("CELERY_BROKER_URL", Env(redis_url="redis://h", celery_broker_url=url)),
    ):
        with pytest.raises(ImproperlyConfigured) as caught:
            redis_urls.queue_url(env)
        assert str(caught.value).startswith(f"{name}: {reason}")
        assert "ive " in str(caught.value)  # Give …
        assert CANARY not in str(caught.value)


def test_a_password_may_hold_what_parts_a_list(start: Callable[..., Any]) -> None:
    [url] = start("REDIS_URL", REDIS_URL="redis://app:a,b;c@h/0")
    assert url == "redis://app:a,b;c@h/0"


def test_a_queue_without_a_cache_is_refused(start: Callable[..., Any]) -> None:
    message = start("DEBUG", CELERY_BROKER_URL=f"redis://:{CANARY}@h")
    assert message.startswith("CELERY_BROKER_URL: expected REDIS_URL beside it")
    assert CANARY not in message


def test_sessions_are_in_the_database_unless_asked_for(start: Callable[..., Any]) -> None:
    redis = {"REDIS_URL": "redis://h"}
    assert start("SESSION_ENGINE", **redis) == ["django.contrib.sessions.backends.db"]
    assert start("SESSION_ENGINE", AFN_SESSIONS="cached_db", **redis) == ["afn_project.sessions"]
    assert start("DEBUG", AFN_SESSIONS="cached_db").startswith("AFN_SESSIONS: expected REDIS_URL")


def test_no_task_is_given_to_a_second_worker_while_the_first_may_run_it(start: Callable[..., Any]) -> None:
    names = ("CELERY_TASK_SOFT_TIME_LIMIT", "CELERY_TASK_TIME_LIMIT", "CELERY_BROKER_TRANSPORT_OPTIONS")
    soft, hard, options = start(*names, AFN_TASK_TIME_LIMIT="100", REDIS_URL="redis://h")
    assert (soft, hard) == (95, 100)
    assert options["visibility_timeout"] >= hard + 60
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 5


def test_nothing_but_json_goes_through_redis(start: Callable[..., Any]) -> None:
    cache, accepted, sent = start(
        "CACHES['default']['OPTIONS']['SERIALIZER']",
        "CELERY_ACCEPT_CONTENT",
        "CELERY_TASK_SERIALIZER",
        REDIS_URL="redis://h",
    )
    assert (cache, accepted, sent) == ("django_redis.serializers.json.JSONSerializer", ["json"], "json")


def test_https_makes_cookies_secure(start: Callable[..., Any]) -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")
    assert start(*names) == [False, False, False, 0]
    assert start(*names, AFN_HTTPS="1") == [True, True, True, 31_536_000]


def test_without_a_secret_key_nothing_starts(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from afn_project import secret_key; "
        f"secret_key.PATH = Path({str(tmp_path / 'none')!r}); import afn_project.settings"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=clean_environment(),
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "SECRET_KEY is not set" in done.stderr.splitlines()[-1]
    assert "quickstart" in done.stderr.splitlines()[-1]


def test_the_secret_key_of_a_checkout_is_written_once_for_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_key, "PATH", tmp_path / "var" / "secret_key")
    assert secret_key.read() == ""
    secret_key.ensure()
    key = secret_key.read()
    assert len(key) >= 50
    assert stat.S_IMODE(secret_key.PATH.stat().st_mode) == 0o600
    secret_key.ensure()
    assert secret_key.read() == key


@pytest.mark.django_db
def test_db_echo_logs_statements_without_values(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    from django.db import connection

    from afn_project.apps import _echo, _log_sql
    from prompts.models import User

    _echo(connection)
    _echo(connection)  # each time it connects
    try:
        with caplog.at_level(logging.INFO, logger="afn.sql"):
            User.objects.filter(email=f"{CANARY}@example.com").first()
    finally:
        connection.execute_wrappers.remove(_log_sql)
    assert [record.name for record in caplog.records] == ["afn.sql"]
    assert 'FROM "users" WHERE' in caplog.text
    assert CANARY not in caplog.text


def test_db_echo_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    for echo in ("0", "1"):
        done = manage("showmigrations", "prompts", AFN_DATABASE_FILE=str(tmp_path / "afn.db"), DB_ECHO=echo)
        assert done.returncode == 0
        assert ("afn.sql" in done.stderr) == (echo == "1")


def test_an_empty_file_of_the_secret_key_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "var" / "secret_key"
    monkeypatch.setattr(secret_key, "PATH", path)
    path.parent.mkdir()
    path.touch()
    secret_key.ensure()
    made = secret_key.read()
    secret_key.ensure()
    assert (len(made) > 50, secret_key.read(), path.stat().st_mode & 0o777) == (True, made, 0o600)
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("name", ["AFN_RATE_LIMIT", "AFN_ANONYMOUS_RATE_LIMIT", "AFN_WRONG_KEY_LIMIT"])
def test_a_limit_is_a_number_in_a_time_or_none(read: Callable[..., Env], name: str) -> None:
    assert getattr(read(**{name: "20/s"}), name.lower()) == "20/s"
    assert getattr(read(**{name: "0"}), name.lower()) is getattr(read(**{name: "off"}), name.lower()) is None
    with pytest.raises(ImproperlyConfigured, match=f"{name}: .*such as 1000/min.*got 'often'"):
        read(**{name: "often"})
