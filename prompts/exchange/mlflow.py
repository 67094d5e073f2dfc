"""Prompts of an MLflow tracking server, read by its own client.

An alias is a label, a commit message the message of a version, the tags of a prompt are metadata; the model
and the response format of a version are its configuration. Tags of versions are left out: they may change,
and versions may not. Nothing is written there.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlsplit

from ..models import Kind, Payload, User
from .checking import check_fields, check_label, check_message, check_payload, content_in, read_number
from .import_files import Item
from .importing import MAX_SOURCE_LENGTH, ImportResult, Track, import_items
from .problems import ImportFileError, WrongValue
from .records import IMPORTER, Person, PromptRecord, VersionRecord

MAX_VERSIONS: Final = 10_000  # of one prompt
_PAGE: Final = 100
_SETTINGS: Final = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # of seven: an address that is wrong is told soon
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def import_mlflow(
    uri: str,
    user: User,
    *,
    source: str = "",
    strict: bool = False,
    dry_run: bool = False,
    track: Track = lambda rows, label: rows,
) -> ImportResult:
    """Import all prompts of the server at `uri`, as `import_file` does. Lines are the places of the prompts.

    Raises ``ImportFileError`` where `mlflow` is not installed, or the server gives no answer.
    """
    client = connect(uri)
    notes: list[str] = []
    parts = urlsplit(uri)
    result = import_items(
        lambda: read_prompts(client, notes),
        user,
        source=source or f"mlflow {parts.hostname or parts.scheme}"[:MAX_SOURCE_LENGTH],
        strict=strict,
        dry_run=dry_run,
        track=track,
    )
    result.notes = [*dict.fromkeys(notes), *result.notes]
    return result


def connect(uri: str) -> Any:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise ImportFileError(
            "--mlflow: expected the package mlflow, which is not installed. Run `pip install mlflow`."
        ) from error
    try:
        return MlflowClient(tracking_uri=uri, registry_uri=uri)
    except Exception as error:
        raise _told(error) from error


def read_prompts(client: Any, notes: list[str]) -> Iterator[Item]:
    """What MLflow cannot tell apart from its own errors is one error of the whole import."""
    try:
        for number, prompt in enumerate(_pages(client.search_prompts), start=1):
            try:
                yield number, _record(client, prompt, notes)
            except WrongValue as wrong:
                yield (
                    number,
                    WrongValue(wrong.field, wrong.expected, f"{wrong.got} in {prompt.name}").at(number),
                )
    except _errors() as error:
        raise _told(error) from error


def _record(client: Any, prompt: Any, notes: list[str]) -> PromptRecord:
    found = [_version(client, prompt.name, one) for one in _numbers(client, prompt.name)]
    versions = sorted((version for version, _ in found), key=lambda one: one.number)
    if not versions:
        raise WrongValue("versions", "a version", "none")
    is_chat = {kind for _, (kind, _) in found}
    if len(is_chat) > 1:
        raise WrongValue("type", "texts alone, or chats alone", "both")
    for before, version in pairwise(versions):
        version.parent = before.number
    tags = {
        name: value
        for name, value in (prompt.tags or {}).items()
        if not name.startswith(("mlflow.", "_mlflow"))
    }
    metadata: dict[str, Any] = {"mlflow_tags": tags} if tags else {}
    if prompt.description:
        metadata["description"] = prompt.description
    fields = check_fields({"name": prompt.name, "title": prompt.name, "metadata": metadata})
    record = PromptRecord(**fields, type=is_chat.pop(), versions=versions, owner=versions[0].author)
    record.is_foreign = True
    record.created_at = _moment(prompt.creation_timestamp) or versions[0].created_at
    record.updated_at = versions[-1].created_at
    for version, (_, aliases) in found:
        for alias in aliases:
            label = str(alias).lower()
            try:
                check_label(label, "alias")
                if label in {*record.labels, "latest"}:
                    raise WrongValue("alias", "another name", label)
            except WrongValue:
                notes.append(f"{prompt.name}: the alias {alias!r:.80} cannot be a label, and is left out.")
            else:
                record.labels[label] = version.number, None
    return record


def _numbers(client: Any, name: str) -> list[int]:
    """Of all versions. Servers before MLflow 3.6 know prompts' versions as those of models alone."""
    try:
        found = [
            read_number(int(one.version), "version") for one in _pages(client.search_prompt_versions, name)
        ]
    except _errors() as error:
        if "search_model_versions" not in str(error):
            raise
        quoted = name.replace("'", "\\'")
        models = _pages(client.search_model_versions, f"name = '{quoted}'")
        found = [read_number(int(one.version), "version") for one in models]
    if len(found) > MAX_VERSIONS:
        raise WrongValue("versions", f"at most {MAX_VERSIONS:,} versions", f"{len(found):,}")
    return found


def _version(client: Any, name: str, number: int) -> tuple[VersionRecord, tuple[str, list[str]]]:
    """A version, with the type of its prompt and its aliases, which a search does not tell."""
    found = client.get_prompt_version(name, number)
    if found is None:
        raise WrongValue("versions", f"version {number}", "nothing")
    template = found.template
    kind = Kind.CHAT.value if isinstance(template, list) else Kind.TEXT.value
    content = content_in(kind, _messages(template), "template")
    is_jinja = "{%" in content
    config = dict(getattr(found, "model_config", None) or {})
    if response_format := getattr(found, "response_format", None):
        config["response_format"] = response_format
    message = found.commit_message or (found.tags or {}).get("commit_message")
    payload = Payload(content, config=config, template_format="jinja2" if is_jinja else "simple")
    author = getattr(found, "user_id", None)
    version = VersionRecord(
        number=number,
        payload=check_payload(kind, payload, f"versions.{number}"),
        message=check_message(message, "commit_message"),
        author=Person(str(author)[:255]) if author else IMPORTER,
        created_at=_moment(found.creation_timestamp),
    )
    return version, (kind, list(found.aliases or []))


def _messages(template: Any) -> Any:
    """Members that are empty come along: what MLflow knows of tools is nothing here."""
    if not isinstance(template, list):
        return template
    return [
        {name: value for name, value in one.items() if value is not None} if isinstance(one, dict) else one
        for one in template
    ]


def _pages(search: Any, *arguments: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(*arguments, max_results=_PAGE, page_token=token)
        yield from page
        token = getattr(page, "token", None)
        if not token:
            return


def _moment(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def _errors() -> type[Exception]:
    from mlflow.exceptions import MlflowException

    return MlflowException


def _told(error: Exception) -> ImportFileError:
    text = (str(error).splitlines() or [""])[0].partition(" failed with exception ")
    got = f"{text[0]} failed" if text[1] else text[0]
    return ImportFileError(
        f"--mlflow: expected an answer of a tracking server, got: {got[:300].rstrip('.')}."
    )
