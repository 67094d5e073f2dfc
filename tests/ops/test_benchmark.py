"""The benchmark on little data: what it prints, never how fast it is."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from ops import benchmarks
from tests.servers import require


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with (tmp_path / benchmarks.PROMPTS_FILE).open("w", encoding="utf-8", newline="") as file:
        rows = [[f"Title {number}", f"Act as number {number}."] for number in range(30)]
        csv.writer(file).writerows([["act", "prompt"], *rows])
    vectors = np.random.default_rng(1).standard_normal((600, 32)).astype(np.float16)
    # The benchmark's processes take the real settings.
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    np.save(tmp_path / benchmarks.VECTORS_FILE, vectors)
    return tmp_path


def test_it_measures_every_target(data: Path) -> None:
    require("sqld")
    seen: list[str] = []
    figures = benchmarks.run(data, progress=seen.append)
    local, remote = ["Orm", "Search", "Vectors"], ["Remote"]
    assert seen == ["Setting up", "Importing", *local, "Setting up", "Importing", *remote]
    targets = benchmarks.TARGETS | benchmarks.REMOTE_TARGETS
    assert set(figures) == set(targets)
    for name, figure in figures.items():
        target = targets[name]
        assert math.isfinite(figure["value"])
        assert figure["value"] > 0 or name == "remote_hybrid_search_extra"
        assert (figure["unit"], figure["target"]) == (target.unit, target.limit)
        assert isinstance(figure["pass"], bool)


def test_without_a_server_its_figures_are_left_out_and_that_is_said(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks, "find_sqld", lambda: None)
    # That each part measures what it says is the test above.
    monkeypatch.setattr(benchmarks, "_prepare", lambda *_: (1.0, 1.0))
    monkeypatch.setattr(benchmarks, "_part", lambda *_: dict.fromkeys(benchmarks.TARGETS, 1.0))
    seen: list[str] = []
    assert set(benchmarks.run(data, progress=seen.append)) == set(benchmarks.TARGETS)
    assert "make sqld" in seen[-1]


def fake(value: float) -> Any:
    return lambda data, progress: {"speed": benchmarks._judge(value, benchmarks.Target("s", 1.0))}


def test_a_missed_target_is_exit_code_1(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "run", fake(0.5))
    out = io.StringIO()
    call_command("benchmark", data=data, stdout=out)
    assert "pass" in out.getvalue()
    monkeypatch.setattr(benchmarks, "run", fake(1.5))
    out = io.StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("benchmark", data=data, json=True, stdout=out)
    assert caught.value.code == 1
    assert json.loads(out.getvalue()) == {"speed": {"value": 1.5, "unit": "s", "target": 1.0, "pass": False}}


def test_a_floor_is_no_ceiling() -> None:
    floor = benchmarks.Target("share", 0.9, is_upper=False)
    assert benchmarks._judge(0.95, floor)["pass"]
    assert not benchmarks._judge(0.85, floor)["pass"]


def test_the_data_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"--data: expected a folder with prompts_en\.csv, got .*nowhere"):
        call_command("benchmark", data=tmp_path / "nowhere")


def test_its_parts_never_touch_another_database(data: Path) -> None:
    with pytest.raises(CommandError, match="--part: expected to be called by the benchmark"):
        call_command("benchmark", data=data, part="orm")
