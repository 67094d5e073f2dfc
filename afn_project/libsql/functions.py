"""Database functions that Django's SQLite backend writes in Python, as native SQL.

Each entry maps an expression class to a function (compiler, node) → (SQL, parameters); the compiler
looks a node's class up here first, so that Django's classes stay as they are.
"""

from collections.abc import Callable
from typing import Any

from django.db import NotSupportedError
from django.db.models import StdDev, Value, Variance, functions, lookups

from .regex import translate
from .temporal import Compiled, fill

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
    # As Python's datetimes are stored, with six digits or none: they are compared as texts, of which one with
    # the three digits that strftime() gives is less than the same moment with six.
    functions.Now: "replace(strftime('%%Y-%%m-%%d %%H:%%M:%%f','now')||'000','.000000','')",
    functions.Log: "(ln({b})/ln({a}))",
    # As C's fmod() on doubles, with the sign of the dividend. SQLite's % works on integers only.
    functions.Mod: (
        "CASE WHEN typeof({a})='integer' AND typeof({b})='integer' "
        "THEN CAST({a}*1.0 AS INTEGER) %% CAST({b}*1.0 AS INTEGER)*1.0 "
        "ELSE ({a}-{b}*CAST({a}*1.0/{b} AS INTEGER))*1.0 END"
    ),
    functions.Cot: "(1.0/tan({a}))",
    # Beyond these bounds libSQL's functions answer with an integer that is wrong, or with an error.
    functions.Ceil: "CASE WHEN {a} BETWEEN -9.2e18 AND 9.2e18 THEN ceil({a}) ELSE {a} END",
    functions.Floor: "CASE WHEN {a} BETWEEN -9.2e18 AND 9.2e18 THEN floor({a}) ELSE {a} END",
    functions.Exp: "CASE WHEN {a}<-708 THEN 0.0 WHEN {a}>709.78 THEN 9e999 ELSE exp({a}) END",
    functions.Power: (
        "CASE WHEN {a}<0 AND {b} BETWEEN -9e15 AND 9e15 AND {b}<>CAST({b} AS INTEGER) THEN NULL "
        "WHEN {b}*ln(abs(nullif({a},0)*1.0))<-708 THEN 0.0 ELSE power({a},{b}) END"
    ),
    functions.Sign: "(({a}>0)-({a}<0))",
    # random() is a 64-bit integer with a sign; its upper 53 bits make a float in [0, 1).
    functions.Random: "((random()>>11)/9007199254740992.0+0.5)",
}
# Of a text, whole seconds go through strftime() and the fraction beside it, to three digits as Django has it.
_START = "substr({v},1,CASE WHEN substr({v},3,1)=':' THEN 8 ELSE 19 END)"
_SECONDS = (
    "printf('%%06.3f',min(59.999,CAST(substr({v},CASE WHEN substr({v},3,1)=':' THEN 7 ELSE 18 END) AS REAL)))"
)
_CASTS = {
    "DateField": f"CASE typeof({{v}}) WHEN 'text' THEN date({_START}) ELSE date({{v}}) END",
    "DateTimeField": (
        f"CASE typeof({{v}}) WHEN 'text' THEN strftime('%%Y-%%m-%%d %%H:%%M:',{_START})||{_SECONDS} "
        "ELSE strftime('%%Y-%%m-%%d %%H:%%M:%%f',{v}) END"
    ),
    "TimeField": (
        f"CASE typeof({{v}}) WHEN 'text' THEN strftime('%%H:%%M:',{_START})||{_SECONDS} "
        "ELSE strftime('%%H:%%M:%%f',{v}) END"
    ),
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
        sql, params = fill(template, **dict(zip("abc", compiled, strict=False)))
        return _numeric(node, sql), params

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
    pattern = node.rhs.value if isinstance(node.rhs, Value) else node.rhs
    if not isinstance(pattern, str) or node.bilateral_transforms:
        raise NotSupportedError(
            "A regular expression must be given as text: libSQL's dialect differs from Python's, and a "
            "pattern that comes from a column cannot be translated. Filter the rows in Python."
        )
    value, params = node.process_lhs(compiler, compiler.connection)
    return f"({value} REGEXP %s)", (*params, translate(pattern, ignore_case=isinstance(node, lookups.IRegex)))


def _cast(compiler: Any, node: Any) -> Compiled:
    """Casts to dates and times: strftime() makes 23:59:59.9996 the next day's 23:59:59."""
    form = _CASTS.get(node.output_field.get_internal_type())
    if form is None:
        return node.as_sqlite(compiler, compiler.connection)  # type: ignore[no-any-return]
    return fill(form, v=compiler.compile(node.get_source_expressions()[0]))


IMPLEMENTATIONS: dict[type, Implementation] = {
    **{function: _from_template(template) for function, template in _TEMPLATES.items()},
    **dict.fromkeys(_HASHES, _no_hash),
    StdDev: _variance,
    Variance: _variance,
    functions.Cast: _cast,
    lookups.Regex: _regex,
}


def implementation_for(node_class: type) -> Implementation | None:
    """The implementation of the class or the nearest of its bases that has one."""
    return next((IMPLEMENTATIONS[base] for base in node_class.__mro__ if base in IMPLEMENTATIONS), None)
