"""`LOGGING` of the settings, by what the environment says."""

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from pydantic import SecretStr

from ..env import Env, may_hold_secret
from ..secure_env.keys import KEY
from . import redacting

_HERE = "afn_project.logs"


def logging_config(env: Env, secret_key: str) -> dict[str, Any]:
    """For ``logging.config.dictConfig``. From now on the secrets of `env` are masked."""
    redacting.know([secret_key, *_secrets(env)])
    names = ["console", "file"] if env.afn_log_file else ["console"]
    handlers: dict[str, Any] = {"console": {"class": "logging.StreamHandler", "formatter": "line"}}
    if env.afn_log_file:
        handlers["file"] = {
            "class": f"{_HERE}.files.PrivateFileHandler",
            "filename": str(_writable(env.afn_log_file)),
            "encoding": "utf-8",
            "formatter": "line",
        }
    form = "JsonFormatter" if env.afn_log_format == "json" else "PlainFormatter"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{_HERE}.formatting.{form}"}},
        "handlers": handlers,
        "root": {"handlers": names, "level": env.log_level},
        "loggers": _loggers(has_worker=bool(env.redis_url)),
    }


def _loggers(*, has_worker: bool) -> dict[str, Any]:
    # The HTTP client logs whole addresses, and a service's may carry a password; MCP's a line a request.
    noisy = ("httpx", "httpx2", "httpcore", "httpcore2", "openai", "mcp")
    return {
        # Django's own handlers would write lines of another form.
        "django": {"level": "INFO"},
        "django.server": {"level": "INFO", "propagate": True},
        # One line a task is too much where tasks run inside requests and commands.
        "celery.app.trace": {"level": "INFO" if has_worker else "WARNING"},
    } | {name: {"level": "WARNING"} for name in noisy}


def _secrets(env: Env) -> list[str]:
    found = [os.environ.get(KEY, "")]
    for name in Env.model_fields:
        value = getattr(env, name)
        if isinstance(value, SecretStr):
            found += value.get_secret_value().split()  # several keys, while one replaces another
        elif value and may_hold_secret(name):
            found += redacting.secrets_of(value)
    return found


def _writable(path: Path) -> Path:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    except OSError as error:
        raise ImproperlyConfigured(
            f"AFN_LOG_FILE: expected a file that can be written, in a folder that is there; {path} cannot: "
            f"{error.strerror}."
        ) from error
    return path
