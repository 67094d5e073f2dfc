"""The benchmark of searches: real processes on few rows, the truth it judges by, and what it refuses."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.processes import MANAGE, clean_environment
from vectors.benchmarking import afn, environment, measuring, peers, plotting, processes
from vectors.benchmarking.dataset import from_file, from_recipe
from vectors.benchmarking.errors import InvalidBenchmark, NotMeasured
from vectors.benchmarking.figures import FIGURES
from vectors.benchmarking.report import as_markdown, as_table
from vectors.benchmarking.truth import kth_similarities, recall
from vectors.management.commands import benchmark_vectors
from vectors.strategies import STRATEGIES

RUN = [
    *("engine", "strategy", "p50_ms", "p95_ms", "qps", "recall_at_k", "build_rows_s", "insert_ms"),
    *("bytes_per_row", "rss_mb"),
]


def random_rows(rows: int = 600, dims: int = 32) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((rows, dims)).astype(np.float32)


@pytest.fixture
def save(tmp_path: Path):
    def save(array: np.ndarray, **options: object) -> str:
        path = tmp_path / "rows.npy"
        np.save(path, array, **options)
        return str(path)

    return save


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything temporary goes, so that a test can see what was left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def benchmark(*arguments: object) -> str:
    out = io.StringIO()
    call_command("benchmark_vectors", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict[str, str]]:
    """One run of the command with everything that a project without peers has; its report, and its files."""
    folder = tmp_path_factory.mktemp("measured")
    np.save(folder / "rows.npy", random_rows().astype(np.float16))
    page = folder / "page.md"
    # Peers by this Python: none of their libraries is here, but for libSQL's own.
    arguments = ["--peers", "--peers-python", sys.executable, "--json", "--k", 5, "--markdown", page]
    report = json.loads(benchmark("--dataset", folder / "rows.npy", *arguments))
    return report, page.read_text(encoding="utf-8")


def runs_of(report: dict, engine: str) -> dict[str, dict]:
    return {run["strategy"]: run for run in report["runs"] if run["engine"] == engine}


def test_the_report_has_the_agreed_shape(measured):
    report, _ = measured
    assert {"machine", "rows", "dims", "k", "runs"} <= set(report)
    assert (report["rows"], report["dims"], report["k"]) == (400, 32, 5)
    for run in report["runs"]:
        assert list(run)[: len(RUN)] == RUN
        assert set(FIGURES) <= set(run)


def test_every_strategy_is_measured(measured):
    report, _ = measured
    runs = runs_of(report, "afn")
    assert list(runs) == ["auto", "exact", "quantised", "ivf", "diskann"]
    for run in runs.values():
        assert 0 < run["p50_ms"] <= run["p95_ms"]
        assert 0 < run["qps"] < 100_000
        assert run["queries"] == 200
        assert run["build_rows_s"] > 0
        assert run["insert_ms"] > 0
        assert 0.5 < run["recall_at_k"] <= 1.0
        assert 4 * 32 < run["bytes_per_row"] < run["file_bytes_per_row"]
        assert 0 < run["serving_rss_mb"] < run["rss_mb"] < 2_000
        assert sum(run["used"].values()) == 200
    assert runs["exact"]["recall_at_k"] == 1.0
    assert runs["exact"]["used"] == {"exact": 200}
    assert runs["diskann"]["bytes_per_row"] > 2 * runs["exact"]["bytes_per_row"]


def test_libsql_without_afn_is_measured_beside_it(measured):
    report, _ = measured
    runs = runs_of(report, "libsql")
    assert runs["exact"]["recall_at_k"] == 1.0
    assert runs["diskann"]["recall_at_k"] > 0.9
    assert runs["diskann"]["bytes_per_row"] > runs["exact"]["bytes_per_row"] > 4 * 32


@pytest.mark.parametrize("engine", ["sqlite-vec", "hnswlib", "usearch", "chromadb", "lancedb"])
def test_a_missing_peer_is_reported_by_name_with_its_error(measured, engine):
    report, page = measured
    (run,) = runs_of(report, engine).values()
    assert [run[name] for name in FIGURES] == [None] * len(FIGURES)
    assert "No module named" in run["error"]
    assert f"{engine} {run['strategy']}: not measured: ModuleNotFoundError" in page


def test_the_machine_is_described_without_its_name_and_paths(measured):
    machine = measured[0]["machine"]
    assert {"cpu", "cores", "memory_gb", "os", "python", "numpy", "libraries"} == set(machine)
    assert {"django", "libsql"} <= set(machine["libraries"])
    text = json.dumps(measured[0])
    assert os.uname().nodename not in text.replace("localhost", "")
    assert str(Path.home()) not in text


def test_the_page_has_a_table_with_ratios(measured):
    report, page = measured
    lines = [line for line in page.splitlines() if line.startswith("|")]
    ran = [run for run in report["runs"] if "error" not in run]
    assert len(lines) == 2 + len(ran)
    assert len({line.count("|") for line in lines}) == 1
    assert "| recall@5 |" in lines[0]
    assert lines[0].endswith("| speed to libSQL exact |")
    (exact,) = (line for line in lines if line.startswith("| libsql | exact "))
    assert exact.endswith("| 1.0× |")


def test_the_terminal_gets_a_table(measured):
    report, _ = measured
    table = as_table(report)
    assert table.startswith("400 rows × 32 dimensions (rows.npy), k = 5\n")
    assert "hnswlib hnsw: not measured" in table
    own = {**report, "runs": [run for run in report["runs"] if run["engine"] == "afn"]}
    assert "speed to AFN exact" in as_table(own)
    assert "speed to" not in as_table({**report, "runs": own["runs"][:1]})
    assert as_markdown(own).count("| afn |") == 5


def test_the_table_is_printed_with_progress_beside_it_and_nothing_is_left(save, temporary, capfd):
    out = benchmark("--dataset", save(random_rows()), "--rows", 250, "--strategies", "exact")
    assert "250 rows × 32 dimensions" in out
    table = out[out.index("250 rows × 32 dimensions") :]  # before it, a slow machine gets lines of progress
    rows = [line.split()[:2] for line in table.splitlines() if re.match("afn +exact ", line)]
    assert rows == [["afn", "exact"]]  # below it stands what a slow machine had to be told
    progress = capfd.readouterr().err
    for label in ("Reading", "Exact neighbours", "AFN: writing rows (thousands)", "AFN: strategies"):
        assert f"{label}: 1/1\n" in progress
    assert list(temporary.iterdir()) == []


def test_json_is_all_there_is_to_read(save, temporary, capfd):
    out = benchmark("--dataset", save(random_rows()), "--strategies", "exact", "--json")
    assert json.loads(out)["runs"][0]["strategy"] == "exact"
    assert capfd.readouterr().err == ""


def test_the_database_of_the_settings_is_not_touched(save, tmp_path):
    file = tmp_path / "user.db"
    arguments = ["--dataset", save(random_rows()), "--strategies", "exact", "--json"]
    done = subprocess.run(
        [*MANAGE, "benchmark_vectors", *arguments],
        env=clean_environment(SECRET_KEY="k" * 50, AFN_DATABASE_FILE=str(file)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert not file.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing_behind(save, tmp_path, number):
    folder = tmp_path / "temporary"
    folder.mkdir()
    process = subprocess.Popen(
        [*MANAGE, "benchmark_vectors", "--dataset", save(random_rows(3_000, 64))],
        env=clean_environment(SECRET_KEY="k" * 50, TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not list(folder.rglob("afn.db")) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else 143), errors
    assert (out, list(folder.iterdir())) == ("", [])
    assert "Traceback" not in errors


# -- what is refused ---------------------------------------------------------------------------------------

FILE = "a .npy file of float16 or float32, shape (rows, dimensions)"


def with_value(value: float) -> np.ndarray:
    array = random_rows()
    array[500, 3] = value
    return array


BAD_ARRAYS = [
    (random_rows().astype(np.float64), f"{FILE}, got values of type float64"),
    (random_rows().astype(np.int8), f"{FILE}, got values of type int8"),
    (random_rows()[0], f"{FILE}, got shape (32,)"),
    (random_rows().reshape(600, 8, 4), f"{FILE}, got shape (600, 8, 4)"),
    (random_rows(399), "at least 400 rows, got 399"),
    (with_value(np.nan), "finite numbers, and no rows of zeros, got a norm of nan in row 500"),
    (with_value(np.inf), "finite numbers, and no rows of zeros, got a norm of inf in row 500"),
    (random_rows() * (np.arange(600) != 77)[:, None], "no rows of zeros, got a norm of 0 in row 77"),
]


@pytest.mark.parametrize(("array", "message"), BAD_ARRAYS)
def test_a_bad_array_is_named(save, temporary, array, message):
    with pytest.raises(CommandError) as caught:
        benchmark("--dataset", save(array.astype(array.dtype)), "--json")
    assert str(caught.value).startswith("--dataset: expected ")
    assert message in str(caught.value)
    assert list(temporary.iterdir()) == []


def test_objects_are_never_unpickled(save):
    path = save(np.array([[print]] * 600, dtype=object), allow_pickle=True)
    with pytest.raises(
        CommandError, match=r"--dataset: expected a \.npy file .*, got something else \(.*objects"
    ):
        benchmark("--dataset", path, "--json")


BAD_FILES = [
    (b"", "got "),
    (b"key,embedding\n", "got something else"),
    (b"\x80\x04K\x01.", "got something else"),
    (b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'", "got something else"),
]


@pytest.mark.parametrize(("content", "message"), BAD_FILES)
def test_a_file_of_another_kind_is_named(tmp_path, content, message):
    path = tmp_path / "rows.npy"
    path.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        benchmark("--dataset", path, "--json")
    assert f"--dataset: expected {FILE}, {message}" in str(caught.value)


def test_a_file_cut_off_is_named(save):
    path = Path(save(random_rows()))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CommandError, match=r"--dataset: expected .*, got something else"):
        benchmark("--dataset", path, "--json")


def test_an_archive_a_folder_and_nothing_are_named(tmp_path):
    np.savez(tmp_path / "rows.npz", a=random_rows())
    for path, got in [
        (tmp_path / "rows.npz", "an archive of arrays"),
        (tmp_path, "Is a directory"),
        (tmp_path / "nothing.npy", "no file "),
    ]:
        with pytest.raises(CommandError, match=f"--dataset: expected .*, got {got}"):
            benchmark("--dataset", path, "--json")


BAD_OPTIONS = [
    (["--k", "0"], "--k: expected an integer from 1 to 1,000, got 0"),
    (["--k", "1001"], "--k: expected an integer from 1 to 1,000, got 1,001"),
    (["--k", "401"], "--k: expected at most the number of rows, 400, got 401"),
    (["--rows", "401"], "--rows: expected a number from 200 to 400 (200 of the file's rows"),
    (["--rows", "0"], "--rows: expected a number from 200 to 400"),
    (
        ["--strategies", "exact,fast"],
        "--strategies: expected some of auto,exact,quantised,ivf,diskann, got 'fast'",
    ),
    (["--strategies", ","], "--strategies: expected some of auto,exact,quantised,ivf,diskann, got none"),
    (["--synthetic", "1000x8"], "--dataset: expected either it or --synthetic, got both"),
    (["--plot", "plot.pdf"], "--plot: expected a file name that ends with .svg or .png, got plot.pdf"),
    (["--plot", "no/such/plot.svg"], "--plot: expected a file in a folder that is there"),
    (["--markdown", "."], "--markdown: expected a file in a folder that is there"),
    (["--peers", "--peers-python", "no/python"], "--peers-python: expected a Python that has the packages"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_a_bad_option_is_named(save, options, message):
    with pytest.raises(CommandError) as caught:
        benchmark("--dataset", save(random_rows()), *options, "--json")
    assert message in str(caught.value)


def test_a_strategy_named_twice_is_measured_once(save, monkeypatch):
    wanted = []
    monkeypatch.setattr(benchmark_vectors, "run", lambda options: wanted.append(options) or {})
    benchmark("--dataset", save(random_rows()), "--strategies", "exact, auto,exact,", "--json")
    assert wanted[0].strategies == ("exact", "auto")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--dataset: expected either it or --synthetic, got neither"),
        (["--synthetic", "many"], "--synthetic: expected ROWSxDIMS, such as 1000000x384"),
        (["--synthetic", "100x8"], "at least 200 rows"),
        (["--synthetic", "1000x8", "--rows", "300"], "--rows: expected a number of rows of --dataset"),
    ],
)
def test_without_a_file_it_says_what_is_missing(arguments, message):
    with pytest.raises(CommandError) as caught:
        benchmark(*arguments, "--json")
    assert message in str(caught.value)


# -- data and truth ----------------------------------------------------------------------------------------


def test_two_hundred_rows_chosen_by_a_seed_are_the_queries(save, tmp_path):
    array = random_rows(700)
    folder = tmp_path / "data"
    folder.mkdir()
    dataset = from_file(Path(save(array)), folder, rows=300, quiet=True)
    picked = np.random.default_rng(1).choice(700, 200, replace=False)
    assert np.array_equal(dataset.read_queries(), array[picked])
    assert np.array_equal(dataset.read_rows(), np.delete(array, picked, axis=0)[:300])


def test_made_up_rows_are_clouds_of_the_wanted_width_and_always_the_same(tmp_path, monkeypatch):
    def make(name: str) -> np.ndarray:
        (tmp_path / name).mkdir()
        dataset = from_recipe("9000x48", tmp_path / name, quiet=True)
        assert (dataset.rows, dataset.dims) == (9_000, 48)
        return np.array(dataset.read_rows())

    rows = make("first")
    assert np.array_equal(rows, make("second"))
    centres = np.random.default_rng(1).standard_normal((4_096, 48), dtype=np.float32)
    squares = (centres**2).sum(1)
    some = rows[:500]
    away = np.sqrt(((some**2).sum(1)[:, None] + squares - 2 * some @ centres.T).min(axis=1))
    apart = np.linalg.norm(centres[:300] - centres[300:600], axis=1).mean()
    assert away.mean() == pytest.approx(0.35 * apart, rel=0.03)


def test_the_truth_is_that_of_brute_force(monkeypatch):
    monkeypatch.setattr("vectors.benchmarking.truth._BLOCK_BYTES", 40_000)  # several blocks
    rows, queries = random_rows(900), random_rows(930)[900:]
    kth = kth_similarities(rows, queries, 7, quiet=True)
    unit = [(m / np.linalg.norm(m, axis=1, keepdims=True)).astype(np.float64) for m in (rows, queries)]
    near = unit[1] @ unit[0].T
    assert kth == pytest.approx(np.sort(near, axis=1)[:, -7], abs=1e-7)
    best = np.argsort(-near, axis=1)[:, :7].tolist()
    assert recall(best, rows, queries, kth, 7) == 1.0
    assert recall([one[:6] for one in best], rows, queries, kth, 7) == pytest.approx(6 / 7)
    assert recall([[*one[:6], one[5]] for one in best], rows, queries, kth, 7) == pytest.approx(6 / 7)
    assert recall([[-1, 900, 901]], rows, queries, kth, 7) == 0.0
    assert recall([[]], rows, queries, kth, 7) == 0.0


def test_whatever_is_as_near_as_the_last_counts_as_right():
    rows = np.zeros((20, 3), np.float32)
    rows[:10] = [1, 0, 0]
    rows[10:15] = [2, 2, 0]  # five with one and the same angle, of other lengths
    rows[15:] = [0, 0, 1]
    query = np.array([[1, 1, 0]], np.float32)
    kth = kth_similarities(rows, query, 3, quiet=True)
    assert kth == pytest.approx([1.0])
    for answer in ([10, 11, 12], [14, 13, 12], [11, 14, 10]):
        assert recall([answer], rows, query, kth, 3) == 1.0
    assert recall([[10, 11, 0]], rows, query, kth, 3) == pytest.approx(2 / 3)


def test_a_peer_is_tuned_only_where_it_has_less_recall_than_afn():
    def has_too_little(recall: float | None, *own: tuple[str, float | None]) -> bool:
        runs = [{"strategy": strategy, "recall_at_k": value} for strategy, value in own]
        return peers.has_too_little({"recall_at_k": recall}, runs)

    assert has_too_little(0.98, ("exact", 1.0), ("auto", 0.99))
    assert not has_too_little(0.9895, ("exact", 1.0), ("auto", 0.99))
    assert not has_too_little(0.98, ("exact", 1.0))
    assert not has_too_little(None, ("auto", 0.99))
    assert not has_too_little(0.98, ("auto", None))


# -- measuring ---------------------------------------------------------------------------------------------


def test_slow_searches_are_measured_by_fewer_queries():
    now = [0.0]
    asked = []

    def search(query: np.ndarray) -> list[int]:
        asked.append(query)
        now[0] += 1.5
        return [1]

    figures = measuring.search_all(search, random_rows(), clock=lambda: now[0])
    assert figures["times_ms"] == [1_500.0] * 14  # past 20 s
    assert len(asked) - 14 == 4  # past 5 s of warming up
    now[0], asked[:] = 0.0, []
    slow = measuring.search_all(
        lambda query: [search(query), search(query)][0], random_rows(), clock=lambda: now[0]
    )
    assert len(slow["times_ms"]) == 10


def test_the_quietest_of_three_rounds_counts():
    now, slowness = [0.0], iter([0.003] * 20 + [0.004] * 200 + [0.002] * 200 + [0.005] * 200)

    def search(query: np.ndarray) -> list[int]:
        now[0] += next(slowness)
        return [1]

    figures = measuring.search_all(search, random_rows(200), clock=lambda: now[0])
    assert figures["times_ms"] == pytest.approx([2.0] * 200)
    assert next(slowness, None) is None


def test_a_busy_machine_is_said(measured):
    report, _ = measured
    busy = [{**run, "cpu_share": 0.5} for run in runs_of(report, "afn").values()]
    assert "afn exact: it had a processor for 50% of the time only" in as_table({**report, "runs": busy})


def test_an_insert_that_the_next_search_misses_is_said():
    def found(*numbers: int):
        return lambda vector: numbers

    vectors = measuring.new_vectors(random_rows(200))
    assert vectors.shape == (50, 32)
    assert measuring.try_inserts(lambda *row: None, found(*range(7, 57)), 7, vectors)["insert_ms"] >= 0
    lost = measuring.try_inserts(lambda *row: None, found(7, 8), 7, vectors)
    assert lost == {"insert_ms": None, "insert_error": "the next search did not find row 3 of 50"}


def test_the_runner_of_peers_names_the_library_that_is_missing(tmp_path):
    (peer,) = (peer for peer in peers.PEERS if peer.name == "hnswlib")
    with pytest.raises(NotMeasured, match="ModuleNotFoundError: No module named 'hnswlib'"):
        peers.measure(peer, peers.Installed(Path(sys.executable), {}), tmp_path, tmp_path, 10)
    with pytest.raises(NotMeasured, match=r"'hnswlib' \(error: no compiler\)"):
        peers.measure(
            peer,
            peers.Installed(Path(sys.executable), {"hnswlib": "error: no compiler"}),
            tmp_path,
            tmp_path,
            10,
        )


def test_the_runner_of_peers_does_without_django():
    code = "import sys, vectors.benchmarking.peer; sys.exit('django' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=processes._ROOT)


def test_a_process_that_dies_says_of_what(tmp_path):
    def end(code: str) -> str:
        with pytest.raises(NotMeasured) as caught:
            processes.run_json([sys.executable, "-c", code], tmp_path)
        return str(caught.value)

    assert end("import os; os.kill(os.getpid(), 11)") == "its process was ended by SIGSEGV"
    assert end("raise SystemExit(3)") == "its process ended with status 3"
    assert end("raise ValueError('no such thing')") == "ValueError: no such thing"
    assert end("print('hello')") == "it printed no JSON"
    assert end("") == "it printed no JSON"


def test_processes_have_one_thread_and_keep_nothing_in_the_home(tmp_path):
    variables = processes.environment(tmp_path)
    assert (variables["OMP_NUM_THREADS"], variables["RAYON_NUM_THREADS"]) == ("1", "1")
    assert {variables[name] for name in ("HOME", "TMPDIR")} == {str(tmp_path)}


def test_a_strategy_that_fails_is_reported_and_the_others_go_on(save, monkeypatch):
    run_json = processes.run_json

    def failing(command, folder, *, input="", is_shown=False):
        if json.loads(input)["strategy"] == "exact":
            raise NotMeasured("it broke")
        return run_json(command, folder, input=input, is_shown=is_shown)

    monkeypatch.setattr("vectors.benchmarking.strategies.run_json", failing)
    report = json.loads(
        benchmark("--dataset", save(random_rows()), "--strategies", "exact,quantised", "--json")
    )
    broken, fine = report["runs"]
    assert (broken["error"], broken["p50_ms"]) == ("it broke", None)
    assert fine["p50_ms"] > 0


def test_diskann_is_left_out_with_a_reason_where_it_would_take_minutes(save, monkeypatch):
    monkeypatch.setattr("vectors.benchmarking.limits.DISKANN_ROWS", 399)
    report = json.loads(benchmark("--dataset", save(random_rows()), "--strategies", "diskann", "--json"))
    assert report["runs"][0]["error"] == (
        "left out: its index takes some 2 ms a row to build, so 399 rows are the most, not 400"
    )


# -- the environment of the peers, and the plot ------------------------------------------------------------


@pytest.fixture
def base_dir(tmp_path, settings) -> Path:
    settings.BASE_DIR = tmp_path
    return tmp_path


def test_the_environment_of_the_peers_is_made_once_and_says_what_could_not_be_had(base_dir, monkeypatch):
    requirements = base_dir / "peers.txt"
    requirements.write_text("# Pinned.\n./no-such-package\n")
    monkeypatch.setattr(environment, "REQUIREMENTS", requirements)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    python, failed = environment.install(quiet=True)
    assert python.exists()
    assert list(failed) == ["./no-such-package"]
    assert failed["./no-such-package"].startswith("ERROR: ")
    requirements.write_text("# Nothing is needed.\n")
    assert environment.install(quiet=True) == (python, {})
    python.unlink()  # not looked at again, as the list is that of the last time
    assert environment.install(quiet=True) == (python, {})


def test_without_a_network_the_peers_say_so(base_dir, monkeypatch):
    requirements = base_dir / "peers.txt"
    requirements.write_text("hnswlib==0.8.0\n")
    monkeypatch.setattr(environment, "REQUIREMENTS", requirements)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nothing listens there
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    assert environment.install(quiet=True)[1] == {"hnswlib": "the package index cannot be reached"}


def test_every_package_of_a_peer_is_pinned():
    pins = dict(
        line.split("==")
        for line in environment.REQUIREMENTS.read_text().splitlines()
        if not line.startswith("#")
    )
    assert {peer.package for peer in peers.PEERS if peer.package} <= set(pins)
    assert "matplotlib" in pins
    assert pins["numpy"] == np.__version__


def test_a_plot_without_matplotlib_is_refused_before_anything_is_measured(save, base_dir, monkeypatch):
    monkeypatch.setattr(plotting, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r"--plot: expected matplotlib, got no Python .* Add --peers"):
        benchmark("--dataset", save(random_rows()), "--plot", base_dir / "plot.svg", "--json")


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_plot_names_every_run(measured, tmp_path, suffix):
    python = plotting.find_python() if _can_draw() else pytest.skip("matplotlib is not installed")
    path = tmp_path / f"plot{suffix}"
    plotting.draw(measured[0], path, python)
    content = path.read_bytes()
    if suffix == ".png":
        assert content.startswith(b"\x89PNG")
    else:
        assert ET.fromstring(content).tag.endswith("svg")
        assert all(f"afn {name}".encode() in content for name in ("auto", "exact", "ivf"))


def _can_draw() -> bool:
    try:
        plotting.find_python()
    except InvalidBenchmark:
        return False
    return True


def test_what_needs_preparing_is_known_for_every_strategy():
    assert {name: afn.needs_preparing(name) for name in STRATEGIES} == {
        "auto": True,
        "exact": False,
        "quantised": False,
        "ivf": True,
        "diskann": True,
    }
