"""The log in a file, which several processes may share and others may turn over."""

import logging.handlers
import os
from io import TextIOWrapper


class PrivateFileHandler(logging.handlers.WatchedFileHandler):
    """Adds lines at the end of a file that is made readable by its owner alone.

    A file that was moved away is opened anew at the next line, in each process by itself: nobody has to be
    told, and no line is lost. Moving it is for logrotate (docs/logs.md); processes that turned it over
    themselves would have to agree on who does.
    """

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=private)
