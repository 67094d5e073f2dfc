"""Django's SQL compilers, with libSQL's implementations of functions."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db.models.sql import compiler

from .functions import implementation_for

_implementation = cache(implementation_for)


class _NativeFunctions:
    def compile(self, node: Any) -> tuple[str, Sequence[Any]]:
        node_class: type = type(node)
        if implementation := _implementation(node_class):
            return implementation(self, node)
        return super().compile(node)  # type: ignore[no-any-return]


class SQLCompiler(_NativeFunctions, compiler.SQLCompiler):
    pass


class SQLInsertCompiler(_NativeFunctions, compiler.SQLInsertCompiler):
    pass


class SQLUpdateCompiler(_NativeFunctions, compiler.SQLUpdateCompiler):
    pass


class SQLAggregateCompiler(_NativeFunctions, compiler.SQLAggregateCompiler):
    pass


class SQLDeleteCompiler(_NativeFunctions, compiler.SQLDeleteCompiler):
    pass
