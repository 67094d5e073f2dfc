"""The process in which Jinja2 templates are read and rendered: a script that knows neither AFN nor Django.

`prompts.rendering.jinja` starts it as ``python -I jinja_worker.py`` and kills it where it takes too long.
Whoever writes a template is taken for hostile. Three walls stand one behind the other: what the language
offers is listed here by name, Jinja2's own sandbox has to agree, and the process can open no file or socket,
start no process and take no more memory than it is given, with nothing in it that would be worth reading.

Frames on stdin and stdout are a length (4 bytes, big-endian) and so many bytes of JSON. After an empty object
that says "ready" each request is answered by one frame:

    {"operation": "analyse", "templates": [...]}                        → {"names": [...], "worn": false}
    {"operation": "render", "templates": [...], "variables": {...},
     "allow_partial": false}                                            → {"texts": [...], "worn": false}

or, where a template is at fault, by {"problem": {"kind", "template", "line", "message"}, "worn"}: `kind` is
"syntax" or "rendering", `template` an index from 0, `line` is 0 where it is not known. A worn worker wants
to be replaced by a new one. The end of stdin is its end.
"""

import functools
import gc
import json
import mmap
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import jinja2.debug  # noqa: F401 - Jinja2 imports it at its first error, when no file can be opened any more
from jinja2 import Template, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.ext import Extension
from jinja2.filters import FILTERS
from jinja2.lexer import Token, TokenStream
from jinja2.meta import TrackingCodeGenerator
from jinja2.runtime import Context, LoopContext, Macro, StrictUndefined, Undefined
from jinja2.sandbox import MAX_RANGE, ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

MAX_OUTPUT: Final = 1_000_000  # characters over all templates of a request
MAX_DEPTH: Final = 50  # blocks and brackets within each other
MAX_BITS: Final = 14_000  # of a whole number: about as long as Python prints one
MEMORY: Final = 256 * 2**20  # bytes of address space over what the process has when it is ready
ROOM: Final = 192 * 2**20  # of these that have to be free again after a request
MAX_SECONDS: Final = 2  # of a request; only where nobody is there any more to stop it earlier
KEPT_TEMPLATES: Final = 256
MAX_KEPT_LENGTH: Final = 20_000  # characters; longer ones are compiled each time
MAX_MESSAGE: Final = 300
NOBODY: Final = 65_534

# What templates may use of a value, by its type. All else is refused, as are names with _ at their start.
_MEMBERS_OF: Final[Mapping[type, str]] = {
    str: "capitalize casefold count endswith find format index isalnum isalpha isdecimal isdigit islower "
    "isnumeric isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind "
    "rindex rpartition rsplit rstrip split splitlines startswith strip swapcase title upper",
    dict: "get items keys values",
    list: "count index",
    tuple: "count grouper index list",  # two of them are those of `groupby`
    LoopContext: "changed cycle depth depth0 first index index0 last length nextitem previtem revindex "
    "revindex0",
    Macro: "arguments caller catch_kwargs catch_varargs name",
}
_MEMBERS: Final = {kind: frozenset(names.split()) for kind, names in _MEMBERS_OF.items()}
# Not here: `attr` reads members, `random` never gives the same twice, `pprint` shows Python, and HTML is not
# what prompts are made of (`urlize`, `xmlattr`).
_FILTERS: Final = (
    "abs batch capitalize center count d default dictsort e escape filesizeformat first float forceescape "
    "format groupby indent int items join last length list lower map max min reject rejectattr replace "
    "reverse round safe select selectattr slice sort string striptags sum title trim truncate unique upper "
    "urlencode wordcount wordwrap"
)
_REFUSED: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from … import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.ScopedEvalContextModifier: "autoescape",
}
# Where the order of a node's fields is not that of the text.
_ORDER: Final[Mapping[type[nodes.Node], tuple[str, ...]]] = {
    nodes.CondExpr: ("expr1", "test", "expr2"),
    nodes.For: ("target", "iter", "test", "body", "else_"),
    nodes.FilterBlock: ("filter", "body"),
}
_OPENING: Final = frozenset({"lparen", "lbracket", "lbrace"})
_CLOSING: Final = frozenset({"rparen", "rbracket", "rbrace"})
_BLOCKS: Final = frozenset({"for", "if", "macro", "call", "filter", "with"})
_ENDS: Final = frozenset(f"end{name}" for name in _BLOCKS)
_KINDS: Final = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "nothing",
    dict: "an object",
    list: "a list",
}


class Refused(Exception):
    """A template is at fault; the message is ready to be shown."""

    def __init__(self, kind: str, line: int, message: str) -> None:
        super().__init__(kind, line, message)
        self.kind = kind
        self.line = line
        self.message = message


class OutOfBounds(Exception):
    """A value grew over a bound of this module; the text is ready to be shown."""


class Missing(StrictUndefined):
    """What is not there, told in the words of a template instead of those of Python."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f"{self._undefined_name!r} is undefined"
        return f"there is no {self._undefined_name!r} in {_kind(self._undefined_obj)}"

    __repr__ = StrictUndefined.__str__  # in a list that is printed, too


class Open(Undefined):
    """An undefined name that stays in the text as ``{{ name }}``, whatever is done with it."""

    def __new__(
        cls, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = UndefinedError
    ) -> Any:
        # A member that a given value lacks is a mistake in each mode.
        return super().__new__(cls) if obj is missing and not hint else Missing(hint, obj, name, exc)

    def __str__(self) -> str:
        return f"{{{{ {self._undefined_name} }}}}"

    __repr__ = __str__

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)  # then Jinja2 asks `__getitem__`, which gives the same for both

    def __getitem__(self, key: Any) -> Any:
        member = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
        return Open(name=f"{self._undefined_name}{member}")

    def _stay(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def _differ(self, other: Any) -> bool:
        return False

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __call__ = _stay
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _stay
    __pow__ = __rpow__ = __pos__ = __neg__ = __round__ = _stay
    __lt__ = __le__ = __gt__ = __ge__ = _differ  # type: ignore[assignment]


class Function:
    """What templates call. Printed, a function of Python would show an address, another one each time."""

    __slots__ = ("_function", "_name")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self._name = name
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<function {self._name}>"


class Depth(Extension):
    """Refuses deep templates while the parser, which calls itself for each level, asks for the next token."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        depth = 0
        is_tag = False
        for token in stream:
            if token.type in _OPENING or (is_tag and token.value in _BLOCKS):
                depth += 1
            elif token.type in _CLOSING or (is_tag and token.value in _ENDS):
                depth -= 1
            if depth > MAX_DEPTH:
                raise TemplateSyntaxError(_TOO_DEEP, token.lineno)
            is_tag = token.type == "block_begin"
            yield token


_TOO_DEEP: Final = f"blocks and brackets more than {MAX_DEPTH} levels deep"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 with what is listed above, and nothing else."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, undefined: type[Undefined], filters: dict[str, Any]) -> None:
        super().__init__(
            autoescape=False,
            keep_trailing_newline=True,
            undefined=undefined,
            extensions=[Depth],
            # Both compute what is constant in a template, and thus run it, where it is only read.
            optimized=False,
            finalize=_unfolded,
        )
        self.globals = {"range": Function("range", _range), "dict": dict, "namespace": Namespace}
        self.filters = filters

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if not super().is_safe_attribute(obj, attr, value):
            return False
        if isinstance(obj, Namespace):
            return True  # has what the template put into it
        return any(attr in names for kind, names in _MEMBERS.items() if isinstance(obj, kind))

    def getattr(self, obj: Any, attribute: str) -> Any:
        # Data may have members with the name of a method that is of no use here, such as `update`.
        if type(obj) is dict and attribute in obj and attribute not in _MEMBERS[dict]:
            return obj[attribute]
        return _printable(super().getattr(obj, attribute), attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return _printable(super().getitem(obj, argument), argument)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        return self.undefined(
            f"{attribute!r} of {_kind(obj)} is nothing that templates can use", obj, attribute, SecurityError
        )

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        (_check_power if operator == "**" else _check_product)(left, right)
        return super().call_binop(context, operator, left, right)


@pass_context
def _unfolded(context: Context, value: Any) -> Any:
    """The value as it is. What wants the context cannot be called before there is one."""
    return value


def _printable(value: Any, name: Any) -> Any:
    if not callable(value) or isinstance(value, Undefined | Macro | LoopContext | Function):
        return value
    return Function(str(name), value)


def _check_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > MAX_BITS:
        raise OutOfBounds("a number that is too large")


def _check_product(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > MAX_BITS:
            raise OutOfBounds("a number that is too large")
        return
    for repeated, times in ((left, right), (right, left)):
        if (
            isinstance(repeated, str | list | tuple)
            and isinstance(times, int)
            and len(repeated) * times > MAX_OUTPUT
        ):
            raise OutOfBounds("a text or list repeated too often")


def _range(*bounds: Any) -> range:
    if any(isinstance(bound, Open) for bound in bounds):
        return range(0)
    numbers = range(*bounds)
    # len() fails where the length does not fit into a machine's number.
    if numbers[MAX_RANGE : MAX_RANGE + 1]:
        raise OutOfBounds(f"a range of more than {MAX_RANGE:,} numbers")
    return numbers


def _tojson(value: Any, indent: int | None = None) -> str:
    """JSON as models read it. Jinja2's own is for scripts within HTML: "<" would become "\\u003c".

    Undefined names say so when they are made a text.
    """
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def _complete(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter with a list or text as its answer: a generator would print as one, with its address."""

    @functools.wraps(function)  # takes over what it wants of Jinja2 (`pass_context` and such), too
    def complete(*args: Any, **kwargs: Any) -> Any:
        answer = function(*args, **kwargs)
        if isinstance(answer, str):
            return str(answer)  # `escape` gives Markup, which would escape what is added to it
        return list(answer) if isinstance(answer, Iterator) else answer

    return complete


def _staying(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter for partial rendering, where a name without a value passes it by."""
    at = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def staying(*args: Any, **kwargs: Any) -> Any:
        return args[at] if isinstance(args[at], Open) else function(*args, **kwargs)

    return staying


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "this value")


_filters: Final = {name: _complete(FILTERS[name]) for name in _FILTERS.split()} | {"tojson": _tojson}
STRICT: Final = Sandbox(Missing, _filters)
PARTIAL: Final = Sandbox(
    Open,
    {
        name: function if name in ("d", "default") else _staying(function)
        for name, function in _filters.items()
    },
)


@contextmanager
def _reading() -> Iterator[None]:
    """Errors of reading a template, as `Refused`."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise Refused("syntax", error.lineno, error.message or "") from None
    except RecursionError:
        raise Refused("syntax", 0, "an expression or blocks nested too deeply") from None
    except SyntaxError:
        # Of the Python that Jinja2 makes of it, which knows limits of its own.
        message = "an expression or blocks nested too deeply, or one name given twice"
        raise Refused("syntax", 0, message) from None
    except (Refused, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - of Jinja2, about texts that it did not expect, such as endless numbers
        raise Refused("syntax", 0, "something that Jinja2 cannot read") from None


def _parse(environment: Sandbox, text: str) -> nodes.Template:
    tree = environment.parse(text)
    for node in _walk(tree):
        if (tag := _REFUSED.get(type(node))) is not None:
            raise Refused("syntax", node.lineno, f"there is no {tag!r} here")
        # Jinja2 itself would not look into branches before they are taken.
        if isinstance(node, nodes.Filter) and node.name not in environment.filters:
            raise Refused("syntax", node.lineno, f"there is no filter {node.name!r} here")
        if isinstance(node, nodes.Test) and node.name not in environment.tests:
            raise Refused("syntax", node.lineno, f"there is no test {node.name!r} here")
    return tree


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    """All nodes in the order of the text, without a call for each level."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        children: list[nodes.Node] = []
        for field in _ORDER.get(type(node), node.fields):
            value = getattr(node, field)
            values = value if isinstance(value, list) else [value]
            children += [one for one in values if isinstance(one, nodes.Node)]
        waiting += reversed(children)


def _compile(text: str, is_partial: bool) -> Template:
    environment = PARTIAL if is_partial else STRICT
    with _reading():
        return environment.from_string(_parse(environment, text))


_compile_kept = functools.lru_cache(KEPT_TEMPLATES)(_compile)


def _template(text: str, is_partial: bool) -> Template:
    return (_compile_kept if len(text) <= MAX_KEPT_LENGTH else _compile)(text, is_partial)


def _names(text: str) -> list[str]:
    """Undeclared names in the order of the text, each once."""
    with _reading():
        tree = _parse(STRICT, text)
        used = [node.name for node in _walk(tree) if isinstance(node, nodes.Name | nodes.NSRef)]
        # What `find_undeclared_variables` does, which always computes constants.
        tracker = TrackingCodeGenerator(STRICT)
        tracker.optimizer = None
        tracker.visit(tree)
    _template(text, False)  # what can be parsed cannot always be compiled
    return [name for name in dict.fromkeys(used) if name in tracker.undeclared_identifiers]


def _render(template: Template, variables: dict[str, Any], room: int) -> str:
    """The text, of at most `room` characters."""
    try:
        parts = []
        for part in template.root_render_func(template.new_context(variables)):
            room -= len(part)
            if room < 0:
                raise OutOfBounds(f"more than {MAX_OUTPUT:,} characters")
            parts.append(part)
        return "".join(parts)
    except Exception as error:  # noqa: BLE001 - a template can provoke any
        raise Refused("rendering", _line(error, template), _describe(error)) from None


def _line(error: Exception, template: Template) -> int:
    """The line of the template, where the innermost of its functions stands."""
    line = 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__jinja_template__") is template:
            line = template.get_corresponding_lineno(number)
    return line


def _describe(error: Exception) -> str:
    """What happened, in words of this module or of Jinja2: those of Python name its insides."""
    match error:
        case OutOfBounds():
            return str(error)
        case TemplateError():
            return error.message or "an error"
        case RecursionError():
            return "calls within calls that do not end"
        case MemoryError():
            return "more memory than a template may use"
        case ZeroDivisionError():
            return "a division by zero"
        case OverflowError():
            return "a number that is too large"
        case LookupError():
            return "a member that there is not"
        case _:
            return "a value that does not fit there"


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    is_analysis = request["operation"] == "analyse"
    texts: list[str] = []
    names: dict[str, None] = {}
    for at, template in enumerate(request["templates"]):
        try:
            if is_analysis:
                names |= dict.fromkeys(_names(template))
            else:
                room = MAX_OUTPUT - sum(map(len, texts))
                compiled = _template(template, request["allow_partial"])
                texts.append(_render(compiled, request["variables"], room))
        except Refused as refused:
            return _problem(refused.kind, at, refused.line, refused.message)
        except MemoryError as error:
            return _problem("syntax", at, 0, _describe(error))
    return {"names": list(names)} if is_analysis else {"texts": texts}


def _problem(kind: str, template: int, line: int, message: str) -> dict[str, Any]:
    message = message.rstrip(".")[:MAX_MESSAGE]
    return {"problem": {"kind": kind, "template": template, "line": line, "message": message}}


def _is_worn() -> bool:
    """Whether what earlier requests left behind takes the place of the next: asked by taking that place.

    Read-only pages of nothing are never filled; they cost an entry in a table.
    """
    try:
        with mmap.mmap(-1, ROOM, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ):
            return False
    except OSError:
        return True


def _encode(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _send(body: bytes) -> None:
    sys.stdout.buffer.write(len(body).to_bytes(4, "big") + body)
    sys.stdout.buffer.flush()


def _limit(kind: int, value: int) -> None:
    """Never above what is already set; systems other than Linux do not know all of them."""
    with suppress(OSError, ValueError):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _confine() -> None:
    """Give up all that rendering does not need. Everything has to be imported before."""
    os.environ.clear()
    # The parent may ignore or block it, and that is inherited.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    with suppress(OSError), open("/proc/self/statm", encoding="ascii") as sizes:
        _limit(resource.RLIMIT_AS, int(sizes.read().split()[0]) * resource.getpagesize() + MEMORY)
    os.closerange(3, max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1_024))
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_NOFILE, 0)  # the open ones go on; not even one that was closed can be replaced
    # Limits are not for root, who could also raise them again. Containers may have no other user.
    if os.geteuid() == 0:
        drops: list[tuple[Callable[[Any], None], Any]]
        drops = [(os.setgroups, []), (os.setgid, NOBODY), (os.setuid, NOBODY)]
        for drop, value in drops:
            with suppress(OSError):
                drop(value)


def _warm_up() -> None:
    """Use once what Python and Jinja2 import or make at its first use."""
    text = "{% for a in b|map('upper') %}{{ '\\N{BULLET}' ~ a|urlencode }}{{ a|wordwrap }}{% endfor %}"
    for is_partial in (False, True):
        _render(_template(text, is_partial), {"b": ["ä"]}, MAX_OUTPUT)
    _names(text)
    with suppress(Refused):
        _template("{{", False)
    _compile_kept.cache_clear()


def main() -> None:
    _warm_up()
    gc.collect()
    gc.freeze()  # what is there now stays; no need to look at it again
    _confine()
    _send(_encode({}))
    while len(header := sys.stdin.buffer.read(4)) == 4:
        body = sys.stdin.buffer.read(int.from_bytes(header, "big"))
        signal.alarm(MAX_SECONDS)
        try:
            answer = _encode(_answer(json.loads(body)) | {"worn": _is_worn()})
        except MemoryError:
            answer = _encode(
                _problem("rendering", 0, 0, "more memory than a template may use") | {"worn": True}
            )
        signal.alarm(0)
        _send(answer)


if __name__ == "__main__":
    main()
