"""Styles, scripts and fonts: compressed where `collectstatic` has made them so, and never older than the code.

Whitenoise takes the files of the apps before those that were collected, and so none that is compressed. Here a
collected file is served while it is as the app's.
"""

import os
from pathlib import Path
from typing import Any

from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedStaticFilesStorage


class CompressedStorage(CompressedStaticFilesStorage):
    """By gzip alone: Brotli, where somebody has it installed, takes ten times as long for a sixth less."""

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(**options, use_brotli=False)


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
