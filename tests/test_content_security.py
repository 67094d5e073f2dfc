"""What pages may load: nothing from elsewhere, and what is no page nothing at all."""

import pytest
from django.test import Client

from afn_project.content_security import API_DOCS, CONSOLE, DATA


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/admin/login/", CONSOLE),
        ("/admin/nowhere/", CONSOLE),
        ("/api/v1/docs", API_DOCS),
        ("/api/v1/openapi.json", DATA),
        ("/health/live", DATA),
        ("/static/afn/console.css", DATA),
    ],
)
def test_each_answer_has_its_policy(db: None, path: str, policy: str) -> None:
    answer = Client().get(path)
    answer.close()
    assert answer.headers["Content-Security-Policy"] == policy


def test_no_policy_lets_in_other_hosts_or_scripts_within_pages() -> None:
    for policy in (CONSOLE, API_DOCS, DATA):
        assert "*" not in policy
        assert "http" not in policy
        scripts = [part for part in policy.split("; ") if part.startswith("script-src")]
        assert all("unsafe-inline" not in part for part in scripts)
        assert "frame-ancestors 'none'" in policy
