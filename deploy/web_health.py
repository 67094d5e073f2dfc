"""Does the web server of this container answer? As the proxy asks it: with a host it serves, over HTTPS."""

import http.client
import os
import sys


def served_host() -> str:
    """One of ALLOWED_HOSTS: any other is refused."""
    names = os.environ.get("ALLOWED_HOSTS", "").replace(",", " ").split()
    return names[0].removeprefix(".") if names and names[0] != "*" else "localhost"


def main(port: int = 8000) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        headers = {"Host": served_host(), "X-Forwarded-Proto": "https"}
        connection.request("GET", "/health/live", headers=headers)
        status = connection.getresponse().status
    except OSError as error:
        sys.exit(f"The web server does not answer: {error}")
    if status != 200:
        sys.exit(f"/health/live: expected 200, got {status}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
