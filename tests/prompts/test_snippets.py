"""Code to be copied: it is code in each language, whatever the prompt's names hold."""

import ast
import json
import shlex
import shutil
import subprocess

import pytest

from prompts.rendering.template import Template
from prompts.snippets import Wanted, curl, javascript, langfuse_python, python, snippets

HOSTILE = 'it\'s/"a" `b` ${c} $(d) \\ 要約'


def wanted(name: str = "writing/resume", content: str = "Dear {{name}}", **fields: object) -> Wanted:
    return Wanted("https://afn.example.org", name, "production", Template("text", content, **fields))  # type: ignore[arg-type]


def test_the_sdk_is_given_the_names_of_the_prompt() -> None:
    variables = {"tone": {"type": "enum", "values": ["kind"]}, "class": {"type": "number"}}
    code = langfuse_python(wanted(content="{{tone}} {{class}} {{名前}} {{a.b}}", variables=variables))

    assert 'get_prompt("writing/resume", label="production")' in code
    assert code.endswith('compile(tone="kind", 名前="…", **{"class": 1, "a.b": "…"})')


def test_a_chat_gets_its_history() -> None:
    chat = '[{"role": "user", "content": "{{x}}"}, {"type": "placeholder", "name": "history"}]'
    asked = Wanted("http://a", "c", "beta", Template("chat", chat))
    assert 'label="beta", type="chat")' in langfuse_python(asked)
    assert 'history=[{"role": "user", "content": "…"}]' in langfuse_python(asked)
    assert json.loads(shlex.split(curl(asked))[-1])["placeholders"]["history"]


@pytest.mark.parametrize("name", ["writing/resume", HOSTILE])
def test_names_are_literals_in_every_language(name: str) -> None:
    asked = wanted(name, "{{x}}", variables={"x": {"default": HOSTILE}})
    for code in (langfuse_python(asked), python(asked)):
        found = [one.value for one in ast.walk(ast.parse(code)) if isinstance(one, ast.Constant)]
        assert HOSTILE in found
    last = curl(asked).rpartition("#")[2].partition("\n")[2]
    words = shlex.split(last.replace("\\\n", ""))
    assert json.loads(words[-1])["variables"] == {"x": HOSTILE}
    assert words[-3] == asked.render_url
    assert len({one.key for one in snippets(asked)}) == 4


@pytest.mark.skipif(shutil.which("node") is None, reason="node is missing")
def test_javascript_is_read_by_node() -> None:
    asked = wanted(HOSTILE, "{{x}}", variables={"x": {"default": HOSTILE}})
    command = ["node", "--check", "--input-type=module", "-"]
    done = subprocess.run(command, input=javascript(asked), text=True, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
