"""Files of judgements: JSON Lines, and TREC's qrels with a file of topics.

    {"query": "…", "key": "…", "grade": 2}         one judgement a line
    {"query": "…", "relevant": {"key": 2, …}}      all judgements of one query

    qid 0 docid grade                              qrels (https://trec.nist.gov/data/qrels_eng/)
    qid <TAB> query                                topics

Lines end in LF or CRLF; a byte order mark and blank lines are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vectors.errors import VectorError, shown
from vectors.jsonl import parse_line
from vectors.relevance.errors import InvalidJudgement
from vectors.relevance.judging import check_grade, check_key, check_query

MAX_LINE: Final = 4 * 2**20
MAX_FILE: Final = 256 * 2**20
MAX_TOPICS: Final = 1_000_000
_GRADE: Final = re.compile(r"-?[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Line:
    """One judgement of a file, checked, and the number of its line."""

    number: int
    query: str
    key: str
    grade: int


def read_judgements(path: Path, topics: Path | None = None) -> Iterator[Line]:
    """The judgements of a file in order: qrels where `topics` is given, JSON Lines otherwise.

    Raises OSError, and at the first bad line InvalidJudgement, whose field names line and member.
    """
    if topics is None:
        return _jsonl(path)
    return _qrels(path, read_topics(topics))


def read_topics(path: Path) -> dict[str, str]:
    """Queries by qid; raises OSError, or InvalidJudgement, also for a qid that comes twice."""
    found: dict[str, str] = {}
    for number, text in _lines(path, "topics line"):
        qid, tab, query = text.partition("\t")
        place = f"topics line {number}"
        if not tab or not (qid := qid.strip()):
            raise InvalidJudgement(place, "a qid, a tab and a query", shown(text))
        if qid in found:
            raise InvalidJudgement(f"{place}, qid", "a qid not used before", shown(qid))
        if len(found) == MAX_TOPICS:
            raise InvalidJudgement(place, f"at most {MAX_TOPICS:,} topics", "more")
        found[qid] = check_query(query, f"{place}, query")
    return found


def _qrels(path: Path, topics: dict[str, str]) -> Iterator[Line]:
    for number, text in _lines(path, "line"):
        parts = text.split()
        if len(parts) != 4:
            raise InvalidJudgement(f"line {number}", "qid, 0, docid and grade", shown(text))
        qid, _, key, grade = parts
        if qid not in topics:
            raise InvalidJudgement(f"line {number}, qid", "a qid of the topics", shown(qid))
        value = int(grade) if _GRADE.fullmatch(grade) else grade
        yield Line(
            number,
            topics[qid],
            check_key(key, f"line {number}, key"),
            check_grade(value, f"line {number}, grade"),
        )


def _jsonl(path: Path) -> Iterator[Line]:
    for number, text in _lines(path, "line"):
        value = _parsed(number, text)
        if not isinstance(value, dict) or value.keys() not in (
            {"query", "relevant"},
            {"query", "key", "grade"},
        ):
            wanted = 'an object with "query", "key" and "grade", or with "query" and "relevant"'
            raise InvalidJudgement(f"line {number}", wanted, shown(value))
        query = check_query(value["query"], f"line {number}, query")
        for key, grade, place in _graded(number, value):
            yield Line(number, query, check_key(key, f"line {number}, key"), check_grade(grade, place))


def _graded(number: int, value: dict[str, Any]) -> Iterator[tuple[object, object, str]]:
    """(key, grade, where the grade stands) of one line."""
    if "key" in value:
        yield value["key"], value["grade"], f"line {number}, grade"
        return
    relevant = value["relevant"]
    if not isinstance(relevant, dict) or not relevant:
        raise InvalidJudgement(f"line {number}, relevant", "an object of key and grade", shown(relevant))
    for key, grade in relevant.items():
        yield key, grade, f"line {number}, relevant.{key[:60]}"


def _parsed(number: int, text: str) -> object:
    try:
        return parse_line(text)
    except VectorError as error:
        hint = "Qrels need their topics beside them (--topics)." if len(text.split()) == 4 else ""
        raise InvalidJudgement(f"line {number}", error.expected, error.got, hint) from error


def _lines(path: Path, place: str) -> Iterator[tuple[int, str]]:
    """(number from 1, text) of the lines that are not blank, without their ends."""
    with path.open("rb") as file:
        number = size = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            size += len(line)
            if len(line) > MAX_LINE:
                raise InvalidJudgement(f"{place} {number}", f"at most {MAX_LINE:,} bytes", "more")
            if size > MAX_FILE:
                raise InvalidJudgement(f"{place} {number}", f"a file of at most {MAX_FILE:,} bytes", "more")
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                got = f"other bytes at byte {error.start}"
                raise InvalidJudgement(f"{place} {number}", "UTF-8", got) from error
            if text.strip():
                yield number, text.rstrip("\r\n")
