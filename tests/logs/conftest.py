"""Lines as the handlers of the settings write them."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from logging.config import DictConfigurator
from pathlib import Path
from typing import Any

import pytest

from afn_project.env import Env
from afn_project.logs import redacting
from afn_project.logs.config import logging_config

SECRET_KEY = "secret-key-canary-1c5a"


@dataclass
class Log:
    logger: logging.Logger
    stream: io.StringIO

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Log]]:
    """A logger with the console's formatter, for an environment."""
    monkeypatch.setattr(redacting, "_known", None)
    used: list[logging.Logger] = []

    def make(**variables: Any) -> Log:
        config = logging_config(Env(_env_file=None, **variables), SECRET_KEY)
        stream = io.StringIO()
        config["handlers"]["console"]["stream"] = stream
        # Its parts, and not the whole, which would be about all loggers of this process.
        maker = DictConfigurator(config)
        config["formatters"]["line"] = maker.configure_formatter(config["formatters"]["line"])
        logger = logging.getLogger(f"tests.lines.{len(used)}")
        logger.setLevel("DEBUG")
        logger.propagate = False
        for name in config["root"]["handlers"]:
            logger.addHandler(maker.configure_handler(dict(config["handlers"][name])))
        used.append(logger)
        return Log(used[-1], stream)

    yield make
    for one in used:
        for handler in list(one.handlers):
            one.removeHandler(handler)
            handler.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "afn.log"
