"""Can this container put tasks into the queue? Ends with status 1 if not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kombu.exceptions import OperationalError

from afn_project.celery import app


def main() -> None:
    with app.connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0.2, timeout=5)
        except OperationalError as error:
            sys.exit(f"The queue does not answer: {error}")


if __name__ == "__main__":
    main()
