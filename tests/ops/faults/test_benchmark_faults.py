"""The command with few faults: that it counts, that it would see a broken product, that nothing is left."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ops.faults import place, provider, results, running
from ops.faults.scenarios import server_killed
from ops.faults.writing import Said, account, problems_of
from tests.servers import require


def said(**rows: list[str]) -> Said:
    return Said(**rows)


@pytest.mark.parametrize(
    ("answers", "stored", "problem"),
    [
        ({"stored": ["a", "b"]}, ["a"], "1 rows lost: b"),
        ({"stored": ["a"]}, ["a", "a"], "1 rows doubled: a"),
        ({"unknown": ["a"]}, ["a", "a"], "1 rows doubled: a"),
        ({"refused": ["a"]}, ["a"], "1 rows refused_but_stored: a"),
    ],
)
def test_a_broken_product_is_seen(answers: dict[str, list[str]], stored: list[str], problem: str) -> None:
    assert problems_of(account(said(**answers), stored)) == [problem]


def test_what_nobody_can_know_may_be_there_or_not() -> None:
    answers = said(stored=["a"], refused=["b"], unknown=["c", "d"])
    assert problems_of(account(answers, ["a", "c"])) == []


@pytest.mark.parametrize(
    ("outcome", "code"),
    [({"problems": ["1 rows lost: a"]}, 1), ({"problems": []}, 0), ({"skipped": "sqld is missing"}, 0)],
)
def test_the_exit_code_is_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outcome: dict[str, Any], code: int
) -> None:
    options = results.Options(1, 1, 1.0, quiet=True)
    if "skipped" in outcome:
        one = results.skipped("web-killed", options, "none lost", outcome["skipped"])
    else:
        one = results.result("web-killed", options, "none lost", {"lost": ["a"]}, outcome["problems"])
    monkeypatch.setattr(running, "run", lambda *_, **__: one)
    if code:
        with pytest.raises(SystemExit, match="1"):
            call_command("benchmark_faults", "web-killed")
    else:
        call_command("benchmark_faults", "web-killed")
    shown = capsys.readouterr().out
    assert {0: "ok" if "problems" in outcome else "skipped", 1: "NOT OK"}[code] in shown
    assert all(text in shown for text in outcome.get("problems", [outcome.get("skipped")]))


def test_without_a_libsql_server_it_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_killed, "find_sqld", lambda: None)
    one = running.run("server-killed", seed=1, rounds=1, seconds=1.0, quiet=True)
    assert one["ok"] is None
    assert "make sqld" in one["skipped"]


def test_wrong_options_name_what_is_allowed() -> None:
    for arguments, text in (
        (["nobody-killed"], "web-killed"),
        (["--rounds", "0"], "1 to 10,000"),
        (["--seconds", "0"], "1 to 3,600"),
    ):
        with pytest.raises(CommandError, match=text):
            call_command("benchmark_faults", *arguments)


def test_the_provider_fails_in_every_way_that_the_scorecard_names() -> None:
    assert set(provider.FAULTS) - {""} == {
        "429", "500", "hang", "cut", "bad JSON", "wrong dimensions", "NaN", "fewer", "reordered"
    }  # fmt: skip


@pytest.mark.redis
@pytest.mark.sqld
def test_a_scenario_with_one_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    require("redis-server")
    require("sqld")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "afn_project.settings")
    monkeypatch.setattr(place.tempfile, "tempdir", str(tmp_path))
    try:
        call_command("benchmark_faults", "server-killed", "--rounds", "1", "--seed", "3", "--json")
    except SystemExit as ended:
        assert ended.code == 1  # noqa: PT017 - how quick a busy machine is does not count here
    for one in json.loads(capsys.readouterr().out):
        measured = one["measured"]
        assert (one["seed"], one["rounds"]) == (3, 1)
        assert measured["acknowledged"] > 0
        assert (measured["lost"], measured["doubled"], measured["integrity"]) == ([], [], "ok")
    assert list(tmp_path.iterdir()) == []
