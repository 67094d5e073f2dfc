"""AFN_EMAIL_URL: what it says, and what it must not."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from afn_project.email_urls import read_email_url


def test_the_scheme_says_how_tls_begins() -> None:
    one = read_email_url("smtp+tls://afn%40example.org:p%40ss@mail.example.org")
    assert (one.host, one.port, one.user, one.password) == (
        "mail.example.org", 587, "afn@example.org", "p@ss",
    )  # fmt: skip
    assert (one.starts_tls, one.is_tls) == (True, False)
    two = read_email_url("smtps://mail.example.org:4650")
    assert (two.port, two.starts_tls, two.is_tls, two.user) == (4_650, False, True, "")
    assert read_email_url("smtp://localhost").port == 25
    assert "p@ss" not in repr(one)


@pytest.mark.parametrize(
    "url",
    [
        "https://canary@mail.example.org",
        "smtps://",
        "smtps://mail.example.org/canary",
        "smtps://mail.example.org:canary",
        "smtp://afn:canary@mail.example.org",  # in plain text, to another machine
    ],
)
def test_what_is_none_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="AFN_EMAIL_URL: expected") as problem:
        read_email_url(url)
    assert "canary" not in str(problem.value)
