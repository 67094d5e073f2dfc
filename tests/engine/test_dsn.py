"""What ``DATABASES[...]["NAME"]`` may be, and that its token stays secret."""

import traceback
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from afn_project.libsql.dsn import Target, parse_name

from .conftest import OpenDatabase

TOKEN = "eyJhbGciOiJFZERTQSJ9.canary-token_123"
REMOTE = [
    f"libsql://db.example.org?authToken={TOKEN}",
    f"https://db.example.org?authToken={TOKEN}",
    f"http://127.0.0.1:8080/?tls=0&authToken={TOKEN}",
    f"wss://db.example.org?authToken={TOKEN}",
]


@pytest.mark.parametrize("name", ["afn.db", "/srv/afn/afn.db", "a b/ü.db", "file:afn.db?mode=ro", ":memory:"])
def test_a_path_stays_a_path(name: str) -> None:
    assert parse_name(name) == Target(path=name)


def test_a_path_object_is_a_path(tmp_path: Path) -> None:
    assert parse_name(tmp_path / "afn.db") == Target(path=str(tmp_path / "afn.db"))


@pytest.mark.parametrize(
    ("name", "in_memory"),
    [
        (":memory:", True),
        ("file:test?mode=memory&cache=shared", True),
        ("file:test.db", False),
        ("mode=memory.db", False),
    ],
)
def test_it_knows_a_database_in_memory(name: str, in_memory: bool) -> None:
    assert parse_name(name).is_memory is in_memory


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("libsql://db.turso.io", "https://db.turso.io"),
        ("libsql://db.turso.io/?authToken=x", "https://db.turso.io"),
        ("https://db.example.org:8443/base/", "https://db.example.org:8443/base"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("ws://localhost:8080", "http://localhost:8080"),
        ("wss://db.example.org", "https://db.example.org"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_url_names_a_server(name: str, url: str) -> None:
    target = parse_name(name)
    assert (target.url, target.path, target.is_remote, target.is_memory) == (url, "", True, False)


@pytest.mark.parametrize("name", REMOTE)
def test_the_token_is_taken_out_of_the_url(name: str) -> None:
    target = parse_name(name)
    assert target.auth_token == TOKEN
    assert TOKEN not in target.url


def test_a_percent_encoded_token_is_decoded() -> None:
    assert parse_name("libsql://h?authToken=a%2Bb%3D%3D").auth_token == "a+b=="


@pytest.mark.parametrize("name", REMOTE)
def test_the_token_is_not_part_of_a_targets_text(name: str) -> None:
    target = parse_name(name)
    assert TOKEN not in repr(target) + str(target) + f"{target}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"libsql://user:{TOKEN}@db.example.org", "authToken"),
        (f"http://db.example.org:port?authToken={TOKEN}", "port"),
        (f"http://db.example.org:65536?authToken={TOKEN}", "port"),
    ],
)
def test_it_refuses_passwords_and_ports_that_are_none_and_does_not_show_them(
    name: str, expected: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=expected) as caught:
        parse_name(name)
    assert TOKEN not in str(caught.value)


def test_a_token_from_a_file_may_end_with_a_line_break(open_database: OpenDatabase) -> None:
    wrapper = open_database("http://127.0.0.1:1", auth_token=f"{TOKEN}\n")
    assert wrapper.get_connection_params()["auth_token"] == TOKEN


@pytest.mark.parametrize("name", [f"libsql://?authToken={TOKEN}", f"https:///path?authToken={TOKEN}"])
def test_it_refuses_a_url_without_a_host_and_does_not_show_the_token(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="no host name") as caught:
        parse_name(name)
    assert TOKEN not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("name", REMOTE)
def test_what_may_not_be_said_of_a_server_is_refused_without_the_token(
    open_database: OpenDatabase, name: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match="unknown names: pragmas") as caught:
        open_database(name, pragmas={}).connect()
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("number", [-1, "8", True, None])
def test_a_pool_that_cannot_be_meant_is_refused(open_database: OpenDatabase, number: object) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"\['pool_size'\]: expected a number of 1 or more"):
        open_database("http://localhost", pool_size=number).connect()


@pytest.mark.parametrize("namespace", ["..%2f", "A", "a_b", "-a", "a" * 64, "a.b", "%00"])
def test_a_namespace_that_could_lead_elsewhere_is_refused(namespace: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="expected a namespace of 1 to 63"):
        parse_name(f"http://localhost?namespace={namespace}")


@pytest.mark.parametrize("name", ["", None])
def test_it_refuses_an_empty_name(open_database: OpenDatabase, name: str | None) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"\['NAME'\] is empty"):
        open_database(name).connect()


@pytest.mark.parametrize("form", ["{}", "file:{}", "file:{}?mode=rwc"])
def test_every_form_of_a_path_opens_the_file(open_database: OpenDatabase, path: str, form: str) -> None:
    with open_database(form.format(path)).cursor() as cursor:
        cursor.execute("CREATE TABLE t (a)")
    assert Path(path).read_bytes()[:15] == b"SQLite format 3"


def test_a_path_object_opens_the_file(open_database: OpenDatabase, path: str) -> None:
    with open_database(Path(path)).cursor() as cursor:
        cursor.execute("CREATE TABLE t (a)")
    assert Path(path).is_file()


def test_a_file_opened_to_read_is_not_written(open_database: OpenDatabase, path: str) -> None:
    with open_database().cursor() as cursor:
        cursor.execute("CREATE TABLE t (a)")
    reader = open_database(f"file:{path}?mode=ro")
    with reader.cursor() as cursor, pytest.raises(Exception, match="readonly"):
        cursor.execute("INSERT INTO t VALUES (1)")
