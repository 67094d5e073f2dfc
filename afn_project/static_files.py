"""Styles, scripts, fonts: compressed where `collectstatic` has made them so, and never older than the code.

Whitenoise takes the files of the apps before those that were collected, and so none that is compressed. Here
a collected file is served while it is as the app's.
"""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedStaticFilesStorage


class GzipCompressor(Compressor):
    """What is compressed already is left alone, and what is new is there at once: a server may be reading.

    By gzip alone: Brotli, where somebody has it installed, takes ten times as long for a sixth less.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, use_brotli=False)

    def compress(self, path: str) -> list[str]:
        Path(f"{path}.br").unlink(missing_ok=True)  # of another version, and never renewed
        with suppress(FileNotFoundError):
            if os.stat(f"{path}.gz").st_mtime == os.stat(path).st_mtime:
                return [f"{path}.gz"]
        return list(super().compress(path))

    def write_data(self, path: str, data: bytes, suffix: str, stat_result: os.stat_result) -> str:
        with NamedTemporaryFile(dir=Path(path).parent, suffix=suffix, delete=False) as file:
            file.write(data)
        os.chmod(file.name, stat_result.st_mode)
        os.utime(file.name, (stat_result.st_atime, stat_result.st_mtime))
        os.replace(file.name, path + suffix)
        return path + suffix


class CompressedStorage(CompressedStaticFilesStorage):
    def create_compressor(self, **options: Any) -> Compressor:
        return GzipCompressor(**options)


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        if url not in self.files or not self._is_collected(url, path):
            super().add_file_to_dictionary(url, path, stat_cache=stat_cache)

    def _is_collected(self, url: str, path: str) -> bool:
        """Whether STATIC_ROOT has this file of an app as it is now."""
        collected = Path(self.static_root) / url.removeprefix(self.static_prefix)
        try:
            there, here = os.stat(collected), os.stat(path)
        except OSError:
            return False
        return there.st_size == here.st_size and there.st_mtime >= here.st_mtime
