from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from ops.health import history, watching
from ops.health.watching import Watch


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Watch:
    """Of a process that has just started, with folders of its own; time passes when the clock is moved."""
    settings.AFN_RUN_DIR, settings.AFN_BACKUPS_DIR = tmp_path / "run", tmp_path / "backups"
    settings.AFN_ENVIRONMENTS_DIR = tmp_path / "environments"
    made = Watch(clock)
    monkeypatch.setattr(watching, "current", made.current)
    monkeypatch.setattr(watching, "look_now", made.look_now)
    history.forget()
    return made
