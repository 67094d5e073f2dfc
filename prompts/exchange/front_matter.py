"""The lines between ``---`` and ``---`` at the beginning of a Markdown file.

What AFN writes is one ``key: value`` a line, the value as JSON: that is YAML, and is read without a parser of
YAML. What people write is read by PyYAML's safe loader, without aliases, which a few lines could multiply to
gigabytes, and without keys that come twice.
"""

import json
import re
from datetime import date, datetime
from typing import Any, Final

from .json_lines import parse_json
from .problems import WrongValue

MAX_LENGTH: Final = 1_000_000
_MAX_DEPTH: Final = 20
_FENCE: Final = re.compile(r"---[ \t]*\r?\n")
_END: Final = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_LINE: Final = re.compile(r"([A-Za-z_][\w-]*):[ \t]+(\S.*)")
# What YAML takes for line breaks, or refuses to read as it is.
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def dump(values: dict[str, Any]) -> str:
    """Front matter with its fences, a line for each value."""
    lines = [f"{name}: {_scalar(value)}\n" for name, value in values.items()]
    return f"---\n{''.join(lines)}---\n"


def split(text: str) -> tuple[dict[str, Any] | None, str]:
    """The values, None where there is no front matter, and what follows. Raises ``WrongValue``."""
    start = _FENCE.match(text)
    if start is None:
        return None, text
    end = _END.search(text, start.end())
    if end is None:
        return None, text  # a rule across the page, as Markdown has it
    if end.start() - start.end() > MAX_LENGTH:
        raise WrongValue("front matter", f"at most {MAX_LENGTH:,} characters", f"{end.start():,}")
    return load(text[start.end() : end.start()]), text[end.end() :]


def load(text: str) -> dict[str, Any]:
    """Raises ``WrongValue``."""
    found = _ours(text)
    return _yaml(text) if found is None else found


def _scalar(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_scalar(key)}: {_scalar(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if isinstance(value, float):  # 1e-07 is a number in JSON, and a text in YAML
        return text if "." in text else text.replace("e", ".0e")
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _ours(text: str) -> dict[str, Any] | None:
    """The values, where each line is a key and JSON; else None."""
    found: dict[str, Any] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.rstrip("\r"))
        if match is None or match[1] in found:
            return None
        try:
            found[match[1]] = parse_json(match[2])
        except ValueError:
            return None
    return found


def _yaml(text: str) -> dict[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise WrongValue("front matter", "lines of a key and JSON, as PyYAML is missing", "others") from error

    class Loader(yaml.SafeLoader):
        """Of plain values alone."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not read")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) < len(keys):
                raise yaml.YAMLError("a key comes twice")
            return super().construct_mapping(node, deep=deep)

    try:
        value = _plain(yaml.load(text, Loader), 0)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        reason = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise WrongValue("front matter", "YAML", f"{reason}{where}") from error
    except (ValueError, RecursionError, OverflowError) as error:
        raise WrongValue("front matter", "YAML of plain values", str(error)[:80]) from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WrongValue("front matter", "keys and values", type(value).__name__)
    return value


def _plain(value: Any, depth: int) -> Any:
    """YAML's values as JSON's: dates are texts, keys are texts."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"more than {_MAX_DEPTH} levels")
    if isinstance(value, dict):
        found = {
            key if isinstance(key, str) else _key(key): _plain(one, depth + 1) for key, one in value.items()
        }
        if len(found) < len(value):
            raise ValueError("a key comes twice")
        return found
    if isinstance(value, list | tuple | set):
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"a value of the kind {type(value).__name__}")


def _key(key: Any) -> str:
    if isinstance(key, bool | int | float) or key is None:
        return json.dumps(key)
    if isinstance(key, date | datetime):
        return key.isoformat()
    raise ValueError("a key that is no text")
