"""Backups in a bucket of S3, or of what speaks its language: away from the machine that they are of.

An upload goes in parts, each with its SHA-256, which the server checks. One that broke off is gone on with by
the next: the parts that the bucket holds are compared with the file and not sent again.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from . import folder
from .errors import BackupProblem, DamagedBackup
from .names import BackupName

logger = logging.getLogger(__name__)
PART: Final = 16 * 2**20
MOST_PARTS: Final = 9_000
_PIECE: Final = 1 << 20
_TRIES: Final = 5  # of a request, and of a download that breaks off
# An upload that nobody went on with for so long is given up.
ABANDONED: Final = timedelta(days=7)
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Stored:
    """A backup in the bucket."""

    name: BackupName
    key: str
    bytes: int


def is_configured() -> bool:
    return bool(settings.AFN_BACKUPS_S3_BUCKET)


def address(name: BackupName | str) -> str:
    return f"s3://{settings.AFN_BACKUPS_S3_BUCKET}/{_key(name)}"


def stored(environment: str = "") -> list[Stored]:
    """The backups in the bucket, the newest first. Raises ``BackupProblem`` where it cannot be read."""
    found = []
    with _asking() as client:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=settings.AFN_BACKUPS_S3_BUCKET, Prefix=_prefix()
        )
        for page in pages:
            for one in page.get("Contents", []):
                name = BackupName.read(str(one["Key"]).removeprefix(_prefix()))
                if name is not None and environment in ("", name.environment):
                    found.append(Stored(name, one["Key"], int(one["Size"])))
    return sorted(found, key=lambda one: one.name, reverse=True)


def upload(file: Path, told: Told = lambda done, total: None) -> str:
    """Bring a backup into the bucket, or as much of it as is missing there; its address.

    Raises ``BackupProblem``: then the next call goes on where this one ended.
    """
    key, size, sha256 = _key(file.name), file.stat().st_size, folder.sha256(file)
    with _asking() as client:
        if _is_there(client, key, size, sha256):
            return address(file.name)
        part = max(PART, -(-size // MOST_PARTS))
        number = _begun(client, key) or _begin(client, key, sha256)
        there = _parts(client, key, number)
        done = []
        with file.open("rb") as opened:
            for at in range(1, max(1, -(-size // part)) + 1):
                done.append(_send(client, key, number, at, opened.read(part), there.get(at)))
                told(min(size, at * part), size)
        client.complete_multipart_upload(
            Bucket=settings.AFN_BACKUPS_S3_BUCKET, Key=key, UploadId=number, MultipartUpload={"Parts": done}
        )
        if not _is_there(client, key, size, sha256):
            raise BackupProblem(f"{address(file.name)} is not what was sent. Run this again.")
    logger.info("Uploaded %s", address(file.name))
    return address(file.name)


def download(name: BackupName, target: Path, told: Told = lambda done, total: None) -> None:
    """Write a backup of the bucket to `target`, which is not there yet, and see that it is what was sent."""
    with _asking() as client:
        place = {"Bucket": settings.AFN_BACKUPS_S3_BUCKET, "Key": _key(name)}
        about = client.head_object(**place)
        size, digest, done = int(about["ContentLength"]), hashlib.sha256(), 0
        with target.open("xb") as opened:
            target.chmod(0o600)
            for attempt in range(_TRIES):
                try:
                    options = {"Range": f"bytes={done}-"} if done else {}
                    body = client.get_object(**place, **options, IfMatch=about["ETag"])["Body"]
                    for piece in body.iter_chunks(_PIECE):
                        opened.write(piece)
                        digest.update(piece)
                        done += len(piece)
                        told(done, size)
                    break
                except _broken():
                    if attempt == _TRIES - 1:
                        raise
    if digest.hexdigest() != about["Metadata"].get("sha256"):
        raise DamagedBackup(f"{address(name)} is not as it was sent. Take another backup.")


def delete(one: Stored) -> None:
    with _asking() as client:
        client.delete_object(Bucket=settings.AFN_BACKUPS_S3_BUCKET, Key=one.key)


def give_up_abandoned(now: datetime | None = None) -> int:
    """End uploads that nobody goes on with: their parts cost as much as a backup does. How many."""
    before, count = (now or datetime.now(UTC)) - ABANDONED, 0
    with _asking() as client:
        place = {"Bucket": settings.AFN_BACKUPS_S3_BUCKET}
        for one in client.list_multipart_uploads(**place, Prefix=_prefix()).get("Uploads", []):
            if one["Initiated"] < before:
                client.abort_multipart_upload(**place, Key=one["Key"], UploadId=one["UploadId"])
                count += 1
    return count


def _send(client: Any, key: str, number: str, at: int, content: bytes, there: Any) -> dict[str, Any]:
    """One part, unless the bucket has it; what completes the upload."""
    checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
    if there and _is_same(there, content, checksum):
        return {"PartNumber": at, "ETag": there["ETag"], "ChecksumSHA256": checksum}
    answer = client.upload_part(
        Bucket=settings.AFN_BACKUPS_S3_BUCKET,
        Key=key,
        UploadId=number,
        PartNumber=at,
        Body=content,
        ChecksumSHA256=checksum,
    )
    return {"PartNumber": at, "ETag": answer["ETag"], "ChecksumSHA256": checksum}


def _is_same(there: Any, content: bytes, checksum: str) -> bool:
    """By the checksum; where a server does not list those, by the ETag, which is the MD5 of a part."""
    if there["Size"] != len(content):
        return False
    if listed := there.get("ChecksumSHA256"):
        return bool(listed == checksum)
    return bool(there["ETag"].strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest())


def _begin(client: Any, key: str, sha256: str) -> str:
    answer = client.create_multipart_upload(
        Bucket=settings.AFN_BACKUPS_S3_BUCKET,
        Key=key,
        ChecksumAlgorithm="SHA256",
        Metadata={"sha256": sha256},
        ContentType="application/octet-stream",
    )
    return str(answer["UploadId"])


def _begun(client: Any, key: str) -> str:
    """The upload of this file that broke off, empty where there is none."""
    answer = client.list_multipart_uploads(Bucket=settings.AFN_BACKUPS_S3_BUCKET, Prefix=key)
    same = [one for one in answer.get("Uploads", []) if one["Key"] == key]
    return str(max(same, key=lambda one: one["Initiated"])["UploadId"]) if same else ""


def _parts(client: Any, key: str, number: str) -> dict[int, Any]:
    pages = client.get_paginator("list_parts").paginate(
        Bucket=settings.AFN_BACKUPS_S3_BUCKET, Key=key, UploadId=number
    )
    return {int(one["PartNumber"]): one for page in pages for one in page.get("Parts", [])}


def _is_there(client: Any, key: str, size: int, sha256: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        found = client.head_object(Bucket=settings.AFN_BACKUPS_S3_BUCKET, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return int(found["ContentLength"]) == size and found["Metadata"].get("sha256") == sha256


@contextmanager
def _asking() -> Iterator[Any]:
    """A client; what it raises becomes a ``BackupProblem`` that names the bucket, and never a key."""
    # Imported late: it takes half a second, and most processes never ask.
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client(
        "s3",
        endpoint_url=settings.AFN_BACKUPS_S3_ENDPOINT or None,
        region_name=settings.AFN_BACKUPS_S3_REGION or None,
        aws_access_key_id=settings.AFN_BACKUPS_S3_ACCESS_KEY or None,
        aws_secret_access_key=settings.AFN_BACKUPS_S3_SECRET_KEY or None,
        config=Config(
            connect_timeout=5, read_timeout=60, retries={"max_attempts": _TRIES, "mode": "standard"}
        ),
    )
    try:
        yield client
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "?"))[:60]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        raise BackupProblem(
            f"The bucket {settings.AFN_BACKUPS_S3_BUCKET} refused ({code}, status {status}). Look at the "
            "AFN_BACKUPS_S3_ settings and at what the key may do."
        ) from error
    except BotoCoreError as error:
        raise BackupProblem(
            f"The bucket {settings.AFN_BACKUPS_S3_BUCKET} cannot be reached ({type(error).__name__}). Look "
            "at the AFN_BACKUPS_S3_ settings, and try again."
        ) from error
    finally:
        client.close()


def _broken() -> tuple[type[Exception], ...]:
    from botocore.exceptions import HTTPClientError, IncompleteReadError, ResponseStreamingError

    return (IncompleteReadError, ResponseStreamingError, HTTPClientError)


def _key(name: BackupName | str) -> str:
    return f"{_prefix()}{name}"


def _prefix() -> str:
    prefix = str(settings.AFN_BACKUPS_S3_PREFIX).strip("/")
    return f"{prefix}/" if prefix else ""
