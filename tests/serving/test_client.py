"""docs/examples/afn_client.py against a live site: cached, stale, from a file."""

import importlib.util
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from afn_project.env import BASE_DIR
from tests.processes import website

from .conftest import Place, Site

NEW = {"name": "support/挨拶", "title": "Greeting", "content": "Hello {{name}}", "labels": ["production"]}


def client(url: str, key: str, **options: Any) -> Any:
    spec = importlib.util.spec_from_file_location("afn_client", BASE_DIR / "docs/examples/afn_client.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.AfnClient(url, key, **options)


def test_it_serves_on_when_the_site_is_gone(alone: Place, tmp_path: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "prompts.json"
    with website(log, **alone.variables) as url:
        site = Site(url, alone.key)
        site.call("POST", "/prompts", NEW)
        live = client(url, alone.key, fallback=str(file), seconds=0)
        assert live.get("support/挨拶", label="production")["content"] == "Hello {{name}}"
        assert live.render("support/挨拶", {"name": "Ada"}, label="production")["content"] == "Hello Ada"
        with pytest.raises(urllib.error.HTTPError, match="422"):
            live.render("support/挨拶", {}, label="production")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            live.get("nobody")
        assert live.save_bundle("production") == 1
        site.call("PATCH", "/prompts/support/挨拶", {"content": "Bye {{name}}", "labels": ["production"]})
        assert live.get("support/挨拶", label="production")["content"] == "Bye {{name}}"
    assert live.get("support/挨拶", label="production")["content"] == "Bye {{name}}"
    cold = client(url, alone.key, fallback=str(file))
    assert cold.get("support/挨拶", label="production")["content"] == "Hello {{name}}"
    with pytest.raises(urllib.error.URLError):
        cold.get("support/挨拶")


def test_it_refuses_a_bundle_with_a_wrong_signature(alone: Place, tmp_path: Path) -> None:
    site = alone.add_site()
    site.call("POST", "/prompts", NEW)
    file = tmp_path / "prompts.json"
    live = client(site.url, alone.key, fallback=str(file))
    ask = live._ask

    def forge(*arguments: Any) -> Any:
        status, headers, body = ask(*arguments)
        return status, headers, body.replace(b"Hello", b"Hullo")

    live._ask = forge
    with pytest.raises(ValueError, match="signature"):
        live.save_bundle("production")
    assert not file.exists()


def test_it_is_short() -> None:
    lines = (BASE_DIR / "docs/examples/afn_client.py").read_text().splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("class "))
    assert sum(bool(line.strip()) for line in lines[start:]) <= 65
