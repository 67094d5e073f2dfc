"""Database functions that Django's SQLite backend writes in Python, as native SQL.

Each entry maps an expression class to a function (compiler, node) → (SQL, parameters); the compiler
looks a node's class up here first, so that Django's classes stay as they are.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import NotSupportedError
from django.db.models import StdDev, Variance, functions, lookups

from .regex import translate
from .temporal import fill

Compiled = tuple[str, Sequence[Any]]
Implementation = Callable[[Any, Any], Compiled]

# {a}, {b}, {c} are the function's arguments in order; NULL in any of them makes the result NULL.
_REPEATED = "replace(hex(zeroblob({n})),'00',{text})"
_TEMPLATES = {
    functions.Repeat: (
        "CASE WHEN {a} IS NULL OR {b} IS NULL THEN NULL "
        f"ELSE {_REPEATED.format(n='max({b},0)', text='{a}')} END"
    ),
    functions.LPad: (
        "CASE WHEN {a} IS NULL OR {b} IS NULL OR {c} IS NULL THEN NULL "
        "WHEN {b}<=length({a}) THEN substr({a},1,{b}) "
        f"ELSE substr({_REPEATED.format(n='{b}', text='{c}')},1,{{b}}-length({{a}}))||{{a}} END"
    ),
    functions.RPad: (
        "CASE WHEN {a} IS NULL OR {b} IS NULL OR {c} IS NULL THEN NULL "
        f"ELSE substr({{a}}||{_REPEATED.format(n='{b}', text='{c}')},1,{{b}}) END"
    ),
    functions.Log: "(ln({b})/ln({a}))",
    # As C's fmod(): the remainder has the sign of the dividend. SQLite's % works on integers only.
    functions.Mod: "({a}-{b}*CAST({a}*1.0/{b} AS INTEGER))*1.0",
    functions.Cot: "(1.0/tan({a}))",
    functions.Sign: "(({a}>0)-({a}<0))",
    # random() is a 64-bit integer with a sign; its upper 53 bits make a float in [0, 1).
    functions.Random: "((random()>>11)/9007199254740992.0+0.5)",
}
_HASHES = (
    functions.MD5,
    functions.SHA1,
    functions.SHA224,
    functions.SHA256,
    functions.SHA384,
    functions.SHA512,
)


def _from_template(template: str) -> Implementation:
    def implementation(compiler: Any, node: Any) -> Compiled:
        compiled = [compiler.compile(source) for source in node.get_source_expressions()]
        arguments = dict(zip("abc", (sql for sql, _ in compiled), strict=False))
        return _numeric(node, fill(template, **arguments)), [
            value for _, params in compiled for value in params
        ]

    return implementation


def _numeric(node: Any, sql: str) -> str:
    """As Django's own functions: a decimal result gets the affinity that makes it comparable to one."""
    is_decimal = node.output_field.get_internal_type() == "DecimalField"
    return f"CAST({sql} AS NUMERIC)" if is_decimal else sql


def _no_hash(compiler: Any, node: Any) -> Compiled:
    raise NotSupportedError(
        f"{type(node).__name__}() is not available: libSQL has no such SQL function. Compute the hash "
        "in Python (hashlib) and store it in a column."
    )


def _variance(compiler: Any, node: Any) -> Compiled:
    """Population and sample variance (or its root) from libSQL's ``variance()``, the sample variance."""
    sample, params = node.as_sql(compiler, compiler.connection, function="variance")
    count, count_params = node.as_sql(compiler, compiler.connection, function="COUNT")
    if node.function.endswith("_POP"):
        # One value has no sample variance but a population variance of 0.
        sql = f"CASE {count} WHEN 0 THEN NULL WHEN 1 THEN 0.0 ELSE {sample}*({count}-1.0)/{count} END"
        params = (*count_params, *params, *count_params, *count_params)
    else:
        sql = f"CASE WHEN {count}>1 THEN {sample} END"
        params = (*count_params, *params)
    return _numeric(node, f"sqrt({sql})" if isinstance(node, StdDev) else f"({sql})"), params


def _regex(compiler: Any, node: Any) -> Compiled:
    connection = compiler.connection
    if not node.rhs_is_direct_value() or not isinstance(node.rhs, str):
        return node.as_sql(compiler, connection)  # type: ignore[no-any-return]
    value, params = node.process_lhs(compiler, connection)
    pattern = translate(node.rhs, ignore_case=isinstance(node, lookups.IRegex))
    return f"({value} REGEXP %s)", (*params, pattern)


IMPLEMENTATIONS: dict[type, Implementation] = {
    **{function: _from_template(template) for function, template in _TEMPLATES.items()},
    **dict.fromkeys(_HASHES, _no_hash),
    StdDev: _variance,
    Variance: _variance,
    lookups.Regex: _regex,
}


def implementation_for(node_class: type) -> Implementation | None:
    """The implementation of the class or the nearest of its bases that has one."""
    return next((IMPLEMENTATIONS[base] for base in node_class.__mro__ if base in IMPLEMENTATIONS), None)
