"""The two forms of a line: for people, and JSON for programs that collect logs.

Secrets are masked here, on the finished line, and not by a filter: a filter sees no traceback, and would
change the record for every other handler. Not structlog: most lines are Django's, Celery's and other
libraries', which write to `logging` anyway.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from ops import request_ids

from .redacting import mask


class PlainFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} [{request_id}] {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = _request_id(record) or "-"
        return mask(super().format(record))


class JsonFormatter(logging.Formatter):
    """One object a line. `exception` is the whole traceback, where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(record.getMessage()),
            "request_id": _request_id(record),
            "process": record.process,
        }
        if record.exc_info:
            line["exception"] = mask(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = mask(self.formatStack(record.stack_info))
        return json.dumps(line, ensure_ascii=False)


def _request_id(record: logging.LogRecord) -> str:
    """That of the request, or the one that the line was given, such as of what is written later."""
    found = getattr(record, "request_id", "")
    return request_ids.current() or (found if isinstance(found, str) and found != "-" else "")
