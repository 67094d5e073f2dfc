"""The tables as they are before the rehearsal."""

from importlib import import_module

FIRST = import_module(f"{__name__}.0001_create_library").Migration
