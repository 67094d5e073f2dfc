"""Names of prompts as paths of files, which every file system takes and which lead nowhere else.

Characters that some file system refuses are percent-encoded, and so are those that make a name special: a
point in front (``.git``), a point or space at the end, and names of devices of Windows. The name itself
stands in the file, so a path need not lead back to it; where it has to, for want of that, it does.
"""

import hashlib
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

SUFFIX: Final = ".md"
SUFFIXES: Final = (".md", ".markdown")
_MAX_PART: Final = 180  # bytes of a folder or file: file systems take 255
_UNSAFE: Final = re.compile(r'[%\\:*?"<>|\x00-\x1f\x7f]')
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\.|$)", re.IGNORECASE)


class Paths:
    """Paths for names, none given twice: not even where a file system takes A for a, or é for é."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def path_for(self, name: str) -> str:
        """Relative, with slashes."""
        *folders, last = map(_part, name.split("/"))
        # A folder `a.md` would be in the way of a file of that name.
        folders = [re.sub(r"\.(md|markdown)$", r"%2E\1", one, flags=re.IGNORECASE) for one in folders]
        path = "/".join([*folders, last])
        if _folded(path) in self._taken:
            path = f"{path}~{_digest(name)}"
        self._taken.add(_folded(path))
        return path + SUFFIX


def name_of(path: str) -> str:
    """The name that a path stands for."""
    for suffix in SUFFIXES:
        if path.lower().endswith(suffix):
            path = path[: -len(suffix)]
            break
    return unicodedata.normalize("NFC", "/".join(unquote(part, errors="replace") for part in path.split("/")))


def _part(part: str) -> str:
    encoded = _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", part)
    if encoded[0] in ".- " or _DEVICE.match(encoded):
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    if encoded[-1] in ". ":
        encoded = f"{encoded[:-1]}%{ord(encoded[-1]):02X}"
    if len(encoded.encode()) > _MAX_PART:
        encoded = (
            encoded.encode()[: _MAX_PART - 13].decode(errors="ignore").rstrip("%. ") + f"~{_digest(part)}"
        )
    return encoded


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", path).casefold())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
