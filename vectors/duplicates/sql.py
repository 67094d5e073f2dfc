"""The statements of the search for duplicates. Values are bound."""
# ruff: noqa: S608 - nothing but the primary key of a collection is ever put into SQL

from __future__ import annotations

from typing import Final

from vectors.sql import Statement, Tables

_LIST: Final = "(SELECT value FROM json_each(%s))"


def names_of(tables: Tables, ids: str) -> Statement:
    """(id, key, title) of a JSON list of ids."""
    return f"SELECT id, key, title FROM {tables.items} WHERE id IN {_LIST}", [ids]
