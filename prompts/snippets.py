"""How an application gets a prompt: pieces of code to be copied, with the prompt's own names in them.

Whatever a name holds, it stands in each language as a literal of that language. Keys are placeholders.
"""

import json
import keyword
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .rendering.signature import Variable
from .rendering.template import Template


@dataclass(frozen=True, slots=True)
class Snippet:
    """``key`` is made for ids of HTML; ``title`` is a name that is the same in all languages."""

    key: str
    title: str
    code: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A prompt as an application asks for it: by its label at the address of the site, without a slash."""

    address: str
    name: str
    label: str
    template: Template

    @property
    def values(self) -> dict[str, Any]:
        return {name: example(one) for name, one in self.template.signature.items()}

    @property
    def histories(self) -> dict[str, Any]:
        return {name: [{"role": "user", "content": "…"}] for name in self.template.placeholders}

    @property
    def body(self) -> dict[str, Any]:
        """Of a request to render."""
        body: dict[str, Any] = {"label": self.label, "variables": self.values}
        return body | ({"placeholders": self.histories} if self.histories else {})

    @property
    def get_url(self) -> str:
        return f"{self.address}/api/v1/prompts/by-name/{self._path}?label={quote(self.label, safe='')}"

    @property
    def render_url(self) -> str:
        return f"{self.address}/api/v1/prompts/{self._path}/render"

    @property
    def _path(self) -> str:
        return quote(self.name, safe="/")


def snippets(wanted: Wanted) -> list[Snippet]:
    return [
        Snippet("langfuse", "Python, Langfuse SDK", langfuse_python(wanted)),
        Snippet("curl", "curl", curl(wanted)),
        Snippet("python", "Python", python(wanted)),
        Snippet("javascript", "JavaScript", javascript(wanted)),
    ]


def example(variable: Variable) -> Any:
    """A value that fits: the default, or one that shows what kind of value it is."""
    if variable.default is not None:
        return variable.default
    match variable.type:
        case "enum":
            return variable.values[0]
        case "number":
            return 1
        case "list":
            return ["…"]
        case _:
            return "…"


def langfuse_python(wanted: Wanted) -> str:
    more = ', type="chat"' if wanted.template.type == "chat" else ""
    given = ", ".join(_arguments({**wanted.values, **wanted.histories}))
    result = "messages" if wanted.template.type == "chat" else "text"
    return "\n".join(
        [
            "from langfuse import Langfuse",
            "",
            "langfuse = Langfuse(",
            '    public_key="pk-afn-…",',
            '    secret_key="sk-afn-…",',
            f"    base_url={_text(wanted.address)},",
            ")",
            f"prompt = langfuse.get_prompt({_text(wanted.name)}, label={_text(wanted.label)}{more})",
            f"{result} = prompt.compile({given})",
        ]
    )


def curl(wanted: Wanted) -> str:
    body = json.dumps(wanted.body, ensure_ascii=False)
    return "\n".join(
        [
            "# The prompt as it is",
            'curl -H "Authorization: Bearer $AFN_KEY" \\',
            f"  {shlex.quote(wanted.get_url)}",
            "",
            "# With values in place of its variables",
            'curl -H "Authorization: Bearer $AFN_KEY" -H "Content-Type: application/json" \\',
            f"  {shlex.quote(wanted.render_url)} \\",
            f"  -d {shlex.quote(body)}",
        ]
    )


def python(wanted: Wanted) -> str:
    return "\n".join(
        [
            "import json",
            "import os",
            "import urllib.request",
            "",
            "body = {",
            *(f"    {_text(name)}: {_python(value)}," for name, value in wanted.body.items()),
            "}",
            "request = urllib.request.Request(",
            f"    {_text(wanted.render_url)},",
            "    json.dumps(body).encode(),",
            "    {",
            '        "Authorization": f"Bearer {os.environ[\'AFN_KEY\']}",',
            '        "Content-Type": "application/json",',
            "    },",
            ")",
            "with urllib.request.urlopen(request, timeout=5) as response:",
            '    content = json.load(response)["content"]',
        ]
    )


def javascript(wanted: Wanted) -> str:
    body = json.dumps(wanted.body, ensure_ascii=False, indent=2)
    lines = body.replace("\n", "\n  ")
    return "\n".join(
        [
            f"const response = await fetch({_text(wanted.render_url)}, {{",
            '  method: "POST",',
            "  headers: {",
            "    Authorization: `Bearer ${process.env.AFN_KEY}`,",
            '    "Content-Type": "application/json",',
            "  },",
            f"  body: JSON.stringify({lines}),",
            "});",
            "if (!response.ok) throw new Error(`AFN answered ${response.status}`);",
            "const { content } = await response.json();",
        ]
    )


def _arguments(values: Mapping[str, Any]) -> Iterator[str]:
    """Of a call in Python; names that are no identifiers come in a dictionary."""
    strange: dict[str, Any] = {}
    for name, value in values.items():
        if name.isidentifier() and not keyword.iskeyword(name):
            yield f"{name}={_python(value)}"
        else:
            strange[name] = value
    if strange:
        yield f"**{_python(strange)}"


def _python(value: Any) -> str:
    """A literal with double quotes, as people write them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(name)}: {_python(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python, value)) + "]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    """A literal of a text, in Python and in JavaScript."""
    return json.dumps(value, ensure_ascii=False)
