"""The benchmark of the console on few prompts: real server, real pages, a browser."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ops.console_benchmark.measuring import PAGES


def test_pages_are_measured_and_seen(tmp_path: Path, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "afn_project.settings")  # whose files are compressed
    call_command("benchmark_console", prompts=60, rounds=2, browser=True, json=True)
    report = json.loads(capsys.readouterr().out)

    assert report["prompts"] == 60
    assert [page["name"] for page in report["pages"]] == [name for name, _, _ in PAGES]
    assert all(0 < page["p50_ms"] <= page["p95_ms"] for page in report["pages"])
    seen = {one["name"]: one for one in report["browser"]}
    assert seen["home"]["errors"] == 0
    assert 50 < seen["home"]["kilobytes"] < 400
    assert seen["home"]["largest_paint_ms"] > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("option", "value"), [("prompts", 0), ("rounds", 1)])
def test_bad_options_are_named(option: str, value: int) -> None:
    with pytest.raises(CommandError, match="--prompts and 2 to 1,000 --rounds"):
        call_command("benchmark_console", **{option: value})
