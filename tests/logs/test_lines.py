"""The form of the log's lines, and that no secret gets into one."""

import logging
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pyrage
import pytest

from afn_project.logs.redacting import mask
from ops import request_ids
from ops.webhooks.signing import new_secret as new_webhook_secret
from prompts.models.api_key import new_secret

from .conftest import SECRET_KEY, Log

Make = Callable[..., Log]
CANARY = "canary-9f31e07b"
KEY, WEBHOOK = new_secret(), new_webhook_secret()
IDENTITY = str(pyrage.x25519.Identity.generate())
TOKEN = jwt.encode({"sub": "canary"}, "k" * 32)
BASIC = b64encode(f"pk-afn-1:{CANARY}".encode()).decode()
CONFIGURED = {
    "redis_url": f"redis://app:{CANARY}-in-redis@cache.internal:6379/0",
    "turso_database_url": f"https://db.internal?authToken={CANARY}-in-turso",
    "turso_auth_token": f"{CANARY} of two lines\nand-the-second",
    "openai_api_key": f"{CANARY}/of+openai",
    "afn_backup_key": f"{CANARY}-of-backups",
}

SECRETS = [
    KEY, WEBHOOK, TOKEN, IDENTITY, SECRET_KEY, f"Authorization: Bearer {CANARY}", f"basic {BASIC}",
    f"redis://app:{CANARY}@h/0", f"https://h/?authToken={CANARY}&x=1", f"password={CANARY}",
    f"{{'api_key': '{CANARY}'}}", f'{{"token": "{CANARY}"}}', f"sessionid={CANARY}; path=/",
    *(part for part in str(CONFIGURED["turso_auth_token"]).split() if len(part) > 5),
    CONFIGURED["openai_api_key"], f"{CANARY}-in-redis", f"{CANARY}-in-turso", f"{CANARY}-of-backups",
    f"{CANARY}%2Fof%2Bopenai", f"redis://:{CANARY}:with@all/kinds@of@signs".replace("/kinds", ""),
]  # fmt: skip


def test_a_plain_line_has_time_level_logger_id_and_message(log: Make) -> None:
    plain = log()
    with request_ids.carrying("abc-1"):
        plain.logger.warning("%s is %d", "one", 1)
    plain.logger.info("none")
    first, second = plain.text.splitlines()
    moment, level, name, request_id, message = _parts(first)
    assert datetime.fromisoformat(moment.replace(",", "."))
    assert (level, name, request_id, message) == ("WARNING", plain.logger.name, "[abc-1]", "one is 1")
    assert _parts(second)[3:] == ["[-]", "none"]


def _parts(line: str) -> list[str]:
    day, hour, level, name, request_id, message = line.split(" ", 5)
    return [f"{day} {hour}", level, name, request_id, message]


def test_a_line_of_json_has_the_same_and_the_traceback(log: Make) -> None:
    before = datetime.now(UTC)
    found = log(afn_log_format="json")
    with request_ids.carrying("abc-1"):
        try:
            raise ValueError("broken\nin two lines")
        except ValueError:
            found.logger.exception("プロンプト “%s”", 'a"\n')
    [line] = found.lines
    assert (line["level"], line["logger"], line["request_id"]) == ("ERROR", found.logger.name, "abc-1")
    assert line["message"] == 'プロンプト “a"\n”'
    assert "in two lines" in line["exception"]
    assert "test_lines.py" in line["exception"]
    moment = datetime.fromisoformat(line["time"])
    assert moment.utcoffset().total_seconds() == 0  # type: ignore[union-attr]
    assert abs((moment - before).total_seconds()) < 60
    assert found.text.count("\n") == 1


@pytest.mark.parametrize("form", ["plain", "json"])
@pytest.mark.parametrize("text", SECRETS, ids=range(len(SECRETS)))  # random ones among them
def test_no_secret_gets_into_a_line(log: Make, form: str, text: str) -> None:
    found = log(afn_log_format=form, **CONFIGURED)
    found.logger.info(f"in the message {text}")
    found.logger.info("in an argument %s and %r", text, {"x": text})
    try:
        secret = text
        raise ValueError(f"in an error {secret}") from KeyError(secret)
    except ValueError:
        found.logger.exception("failed", stack_info=True)
    assert found.text.count("***") >= 4
    for part in (CANARY, KEY, WEBHOOK, TOKEN[10:60], BASIC, "AGE-SECRET-KEY-1", SECRET_KEY, "and-the-second"):
        assert part not in found.text, part


@pytest.mark.parametrize(
    "text",
    [
        "Task ops.tasks.run_job[965a9d04-1c2b-4f0e-8d7e-0123456789ab] succeeded in 0.1s: None",
        "GET https://cache.internal:6379/0 answered 200",
        "user.logged_in: aoi@example.com",
        "pk-afn-0123456789abcdef01234567 is revoked",
        "expected a token, got none",
        "redis://app@cache.internal:6379/0",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


def test_a_short_secret_does_not_mask_words(log: Make) -> None:
    found = log(redis_password="test", redis_url="redis://h:6379")
    found.logger.info("a test of tests")
    assert "a test of tests" in found.text


def test_masking_takes_time_in_proportion_to_the_length() -> None:
    """Whatever a line is made of, for it may be anybody's."""
    for part in ("://a:", "password=", "eyJaaaaaaa.", "Bearer ", "'token': '", "sk-", "a"):
        start = time.thread_time()
        mask(part * 20_000)
        assert time.thread_time() - start < 2.0, part  # tens of milliseconds; squared it would be minutes


def test_a_record_is_left_as_it_is_for_other_handlers(log: Make, caplog: pytest.LogCaptureFixture) -> None:
    found = log()
    records: list[logging.LogRecord] = []
    found.logger.addFilter(lambda record: bool(records.append(record)) or True)
    found.logger.info("Bearer %s", CANARY)
    assert (records[0].msg, records[0].args) == ("Bearer %s", (CANARY,))


def test_a_wrong_form_stops_the_start(log: Make) -> None:
    variables: dict[str, Any] = {"afn_log_format": "xml"}
    with pytest.raises(ValueError, match="'plain' or 'json'"):
        log(**variables)
