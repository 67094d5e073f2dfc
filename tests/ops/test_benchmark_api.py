"""The benchmark over HTTP: a real web server and its API on few rows."""

import json
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from vectors.benchmarking.errors import InvalidBenchmark, NotMeasured
from vectors.benchmarking.web_client import WebClient, free_port, start, wait_for


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "rows.npy"
    np.save(path, np.random.default_rng(3).standard_normal((1_400, 32)).astype(np.float32))
    return path


def test_rows_are_written_found_and_added_over_http(dataset, tmp_path, monkeypatch, capsys):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    call_command(
        "benchmark_api", dataset=dataset, k=5, json=True, peers=True, peers_python=Path(sys.executable)
    )
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["dims"], report["k"]) == (1_200, 32, 5)
    *ours, chroma = report["runs"]
    assert [run["strategy"].rpartition(" ")[2] for run in ours] == ["JSON", "bytes"]
    for run in ours:
        assert run["recall_at_k"] == 1.0  # so few dimensions are searched exactly
        assert 0 < run["p50_ms"] <= run["p95_ms"]
        assert run["queries"] == 200
        assert run["insert_ms"] > 0
        assert run["cpu_share"] is None
    assert chroma["engine"] == "chromadb"
    assert "No module named 'chromadb'" in chroma["error"]
    assert list(temporary.iterdir()) == []


def test_bad_options_are_named(dataset, tmp_path):
    with pytest.raises((CommandError, InvalidBenchmark), match="--k: expected an integer from 1"):
        call_command("benchmark_api", dataset=dataset, k=0)
    with pytest.raises((CommandError, InvalidBenchmark), match=r"--dataset: expected a \.npy file"):
        call_command("benchmark_api", dataset=tmp_path / "missing.npy")
    with pytest.raises((CommandError, InvalidBenchmark), match="--peers-python: expected a Python"):
        call_command("benchmark_api", dataset=dataset, peers=True, peers_python=tmp_path / "python")


def test_a_server_that_does_not_start_is_said():
    server = start([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(NotMeasured, match="did not start"):
        wait_for(server, free_port())


def test_an_error_of_the_server_is_shown(website_of_files):
    with (
        closing(WebClient(website_of_files)) as client,
        pytest.raises(NotMeasured, match="POST /nothing: HTTP status 501"),
    ):
        client.send_json("/nothing", {})


@pytest.fixture
def website_of_files(tmp_path):
    port = free_port()
    server = start(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "-d", str(tmp_path)]
    )
    try:
        wait_for(server, port)
        yield port
    finally:
        server.kill()
        server.wait()
