"""A file that a browser sends to be imported."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from django.core.files.uploadedfile import UploadedFile

from ..models import User
from .import_files import READABLE
from .importing import MAX_SOURCE_LENGTH, ImportResult, import_file
from .problems import ImportFileError

# Larger ones take longer than a browser waits: those are for the command.
MAX_UPLOAD: Final = 10_000_000  # bytes


def import_upload(
    upload: UploadedFile, user: User, *, strict: bool = False, dry_run: bool = False
) -> ImportResult:
    """As `import_file`, with the upload's name as the source. Nothing of the file is kept.

    Raises ``ImportFileError`` for a file that is too large or cannot be read.
    """
    if upload.size is None or upload.size > MAX_UPLOAD:
        raise ImportFileError(
            f"file: expected at most {MAX_UPLOAD:,} bytes, got {upload.size or 0:,}. Import it by the "
            "command: manage.py import_prompts FILE."
        )
    name = upload.name or "upload"
    suffix = Path(name).suffix.lower()
    with TemporaryDirectory(prefix="afn-import-") as folder:
        # Of what somebody named it only a known extension becomes a path.
        path = Path(folder, f"upload{suffix if suffix in READABLE else ''}")
        with path.open("wb") as file:
            for part in upload.chunks():
                file.write(part)
        return import_file(path, user, source=name[:MAX_SOURCE_LENGTH], strict=strict, dry_run=dry_run)
