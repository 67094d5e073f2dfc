"""The one project that an API key of Langfuse belongs to: here that is the database."""

from typing import Any, Final

ID: Final = "afn"
VERSION: Final = "0.1.0"  # of AFN, as in pyproject.toml


def describe() -> dict[str, Any]:
    organization = {"id": ID, "name": "AFN"}
    return {"id": ID, "name": "AFN", "organization": organization, "metadata": {}}
