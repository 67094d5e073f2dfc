"""The figures for a person: a table on a terminal, a page of Markdown."""

from __future__ import annotations

from typing import Any, Final

# Title, name in a run, format.
_COLUMNS: Final = (
    ("p50 ms", "p50_ms", ",.2f"),
    ("p95 ms", "p95_ms", ",.2f"),
    ("queries/s", "qps", ",.0f"),
    ("recall", "recall_at_k", ".4f"),
    ("build rows/s", "build_rows_s", ",.0f"),
    ("insert ms", "insert_ms", ",.2f"),
    ("bytes/row", "bytes_per_row", ",.0f"),
    ("RSS MB", "rss_mb", ",.0f"),
)
_NOTHING: Final = "–"
# Share of the time with a processor below which times say little.
_BUSY: Final = 0.9

Cells = list[list[str]]


def as_table(report: dict[str, Any]) -> str:
    """Aligned columns, with what was not measured below."""
    table = _cells(report)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return "\n".join([_title(report), _machine(report), "", *lines, *_remarks(report)])


def as_markdown(report: dict[str, Any]) -> str:
    """A page: what was measured on which machine, the table, what the columns mean."""
    header, *rows = _cells(report)
    marks = ["---" if at < 2 else "---:" for at in range(len(header))]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (header, marks, *rows))
    remarks = "".join(f"\n- {remark}" for remark in _remarks(report))
    remarks += "\n" if remarks else ""
    return f"""# Vector search, measured

{_title(report)}

{_machine(report)}

{table}
{remarks}
One thread and a process of its own each. p50 and p95 are of one search at a time, after twenty that do not
count, in the best of three rounds; recall is the share of the true {report["k"]} nearest by cosine, ties
counted as right. Building is everything until the rows are on disk and can be searched; an insert is one row
while serving, found by the next search (hnswlib and usearch add it to memory only). Bytes a row are files on
disk, of AFN the tables of embeddings and index without texts and full text. RSS is the process at its peak.

Versions: {", ".join(f"{name} {version}" for name, version in report["machine"]["libraries"].items())}.
"""


def _title(report: dict[str, Any]) -> str:
    return f"{report['rows']:,} rows × {report['dims']:,} dimensions ({report['dataset']}), k = {report['k']}"


def _machine(report: dict[str, Any]) -> str:
    machine = report["machine"]
    hardware = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    return f"{hardware}, {machine['os']}, Python {machine['python']}, NumPy {machine['numpy']}"


def _cells(report: dict[str, Any]) -> Cells:
    """Titles, then a row a run that has figures."""
    measured = [run for run in report["runs"] if run["p50_ms"] is not None]
    name, baseline = _baseline(measured)
    titles = [f"{title}@{report['k']}" if title == "recall" else title for title, _, _ in _COLUMNS]
    header = ["engine", "strategy", *titles]
    rows = []
    for run in measured:
        figures = [_NOTHING if run[key] is None else format(run[key], form) for _, key, form in _COLUMNS]
        ratio = [f"{baseline / run['p50_ms']:,.1f}×"] if baseline else []
        rows.append([run["engine"], run["strategy"], *figures, *ratio])
    return [header + ([f"speed to {name}"] if baseline else []), *rows]


def _baseline(runs: list[dict[str, Any]]) -> tuple[str, float | None]:
    """What speeds are compared with: libSQL's exact search, without peers that by way of AFN."""
    for engine, name in (("libsql", "libSQL exact"), ("afn", "AFN exact")):
        for run in runs:
            if (run["engine"], run["strategy"]) == (engine, "exact"):
                return name, run["p50_ms"]
    return "", None


def _remarks(report: dict[str, Any]) -> list[str]:
    """What was not measured, and which answers were by another strategy than asked for."""
    remarks = []
    for run in report["runs"]:
        name = f"{run['engine']} {run['strategy']}"
        if "error" in run:
            remarks.append(f"{name}: not measured: {run['error']}")
        if "insert_error" in run:
            remarks.append(f"{name}: inserts: {run['insert_error']}")
        if (run["cpu_share"] or 1) < _BUSY:
            busy = (
                f"it had a processor for {run['cpu_share']:.0%} of the time only: something else is at work"
            )
            remarks.append(f"{name}: {busy}")
        used = run.get("used", {})
        if set(used) - {run["strategy"]}:
            remarks.append(f"{name}: used {', '.join(f'{way} ({count})' for way, count in used.items())}")
    return remarks
