"""What an application does with the SDK of Langfuse. Runs in the SDK's own environment, without AFN.

Prints JSON: of each scenario its name and, where it failed, the traceback. The site, and the port of one that
is down, come by environment variables, as an application gets them.
"""

import json
import os
import time
import traceback
import uuid
from collections.abc import Callable
from urllib.parse import quote

SCENARIOS: dict[str, Callable[[], None]] = {}


def scenario(run: Callable[[], None]) -> Callable[[], None]:
    SCENARIOS[run.__name__] = run
    return run


def client(**arguments):
    from langfuse import Langfuse

    return Langfuse(**arguments)


def major() -> int:
    from importlib.metadata import version

    return int(version("langfuse").split(".")[0])


def raises(status: int, call: Callable, *words: str) -> None:
    from langfuse.api.core import ApiError

    try:
        call()
    except ApiError as error:
        got = error
    else:
        raise AssertionError(f"expected {status}")
    assert got.status_code == status, got
    assert set(got.body) == {"message", "error"}, got
    assert all(word in got.body["message"] for word in words), got


def wait(ask: Callable, seconds: float = 20.0):
    end = time.monotonic() + seconds
    while not (found := ask()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


@scenario
def the_keys_are_checked() -> None:
    langfuse = client()
    assert langfuse.auth_check() is True
    assert langfuse.api.health.health().status == "OK"
    project = langfuse.api.projects.get().data[0]
    assert project.organization.id
    assert langfuse.get_trace_url(trace_id="a" * 32).startswith(os.environ["LANGFUSE_BASE_URL"])


@scenario
def wrong_keys_are_refused() -> None:
    wrong = client(public_key="pk-afn-wrong", secret_key="sk-afn-wrong")
    raises(401, wrong.api.projects.get, "unknown")
    raises(401, wrong.auth_check)


@scenario
def a_text_is_created_and_got() -> None:
    langfuse = client()
    made = langfuse.create_prompt(
        name="text", prompt="Hello {{name}}, {{ greeting }}!", labels=["production", "staging"],
        tags=["demo"], config={"model": "gpt-5-mini", "temperature": 0.2}, commit_message="First draft",
    )  # fmt: skip
    assert (made.version, made.labels) == (1, ["latest", "production", "staging"])
    for found in (
        langfuse.get_prompt("text"),
        langfuse.get_prompt("text", label="staging"),
        langfuse.get_prompt("text", label="latest"),
        langfuse.get_prompt("text", version=1),
    ):
        assert found.prompt == "Hello {{name}}, {{ greeting }}!"
        assert found.config == {"model": "gpt-5-mini", "temperature": 0.2}
        assert found.tags == ["demo"]
        assert found.commit_message == "First draft"
        assert sorted(found.labels) == ["latest", "production", "staging"]
        assert found.variables == ["name", "greeting"]
        assert found.compile(name="Aoi", greeting="hi") == "Hello Aoi, hi!"
        assert not found.is_fallback


@scenario
def a_chat_is_created_and_compiled() -> None:
    langfuse = client()
    langfuse.create_prompt(
        name="chat", type="chat", labels=["production"],
        prompt=[
            {"role": "system", "content": "Answer in {{tone}} words."},
            {"type": "placeholder", "name": "history"},
            {"role": "user", "content": "{{question}}"},
        ],
    )  # fmt: skip
    found = langfuse.get_prompt("chat", type="chat")
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert found.compile(tone="few", question="Why?", history=history) == [
        {"role": "system", "content": "Answer in few words."},
        *history,
        {"role": "user", "content": "Why?"},
    ]
    assert found.prompt[1] == {"type": "placeholder", "name": "history"}


@scenario
def folders_and_japanese_names_arrive() -> None:
    langfuse = client()
    for name in ("業務/要約/短い", "a b/c?d#e", "100%/50%25", "plus+and&=", "x/versions/7"):
        langfuse.create_prompt(name=name, prompt=f"{name}: {{{{本文}}}}", labels=["production", "staging"])
        found = langfuse.get_prompt(name)
        assert (found.name, found.version) == (name, 1)
        assert found.compile(本文="短く😀") == f"{name}: 短く😀"
        langfuse.create_prompt(name=name, prompt="二つ目")
        langfuse.update_prompt(name=name, version=2, new_labels=["production"])
        assert langfuse.get_prompt(name, cache_ttl_seconds=0).prompt == "二つ目"
        langfuse.api.prompts.delete(quote(name, safe=""))
        raises(404, lambda name=name: langfuse.api.prompts.get(quote(name, safe="")))


@scenario
def labels_move() -> None:
    langfuse = client()
    langfuse.create_prompt(name="labels", prompt="one", labels=["production", "a"])
    langfuse.create_prompt(name="labels", prompt="two", labels=["a"])
    assert langfuse.get_prompt("labels", cache_ttl_seconds=0).version == 1
    assert langfuse.get_prompt("labels", label="a", cache_ttl_seconds=0).version == 2
    updated = langfuse.update_prompt(name="labels", version=2, new_labels=["production", "b"])
    assert sorted(updated.labels) == ["a", "b", "latest", "production"]
    assert langfuse.get_prompt("labels").version == 2  # update_prompt has emptied the cache
    assert langfuse.get_prompt("labels", version=1).labels == []
    raises(400, lambda: langfuse.update_prompt(name="labels", version=1, new_labels=["latest"]), "latest")
    raises(400, lambda: langfuse.update_prompt(name="labels", version=1, new_labels=["Not a label"]))
    raises(404, lambda: langfuse.update_prompt(name="labels", version=9, new_labels=["a"]))


@scenario
def identical_content_is_no_new_version() -> None:
    langfuse = client()
    langfuse.create_prompt(name="same", prompt="one", labels=["a"])
    again = langfuse.create_prompt(name="same", prompt="one", labels=["b"], tags=["x"])
    assert (again.version, again.tags) == (1, ["x"])
    assert sorted(again.labels) == ["a", "b", "latest"]
    assert langfuse.create_prompt(name="same", prompt="one", config={"k": 1}).version == 2
    assert langfuse.create_prompt(name="same", prompt="two").tags == ["x"]


@scenario
def prompts_are_composed() -> None:
    langfuse = client()
    langfuse.create_prompt(name="parts/tone", prompt="Be kind, {{name}}.", labels=["production"])
    tag = "@@@langfusePrompt:name=parts/tone|label=production@@@"
    langfuse.create_prompt(name="whole", prompt=f"{tag} Answer.", labels=["production"])
    assert langfuse.get_prompt("whole").compile(name="Aoi") == "Be kind, Aoi. Answer."
    raw = langfuse.api.prompts.get("whole", resolve=False)
    assert (raw.prompt, raw.resolution_graph) == (f"{tag} Answer.", None)
    graph = langfuse.api.prompts.get("whole").resolution_graph
    assert graph["root"]["name"] == "whole"
    assert [one["name"] for one in graph["dependencies"][graph["root"]["id"]]] == ["parts/tone"]
    raises(400, lambda: langfuse.api.prompts.delete(quote("parts/tone", safe="")), "whole")
    raises(400, lambda: langfuse.create_prompt(name="bad", prompt="@@@langfusePrompt:name=no|version=1@@@"))


@scenario
def prompts_are_listed() -> None:
    langfuse = client()
    for name in ("list/a", "list/b", "list/c"):
        langfuse.create_prompt(name=name, prompt="one", labels=["listed"], tags=["listing"], config={"n": 1})
    langfuse.create_prompt(name="list/b", prompt="two", config={"n": 2})
    listed = langfuse.api.prompts.list
    found = listed(tag="listing", limit=2)
    assert [one.name for one in found.data] == ["list/a", "list/b"]
    assert (found.meta.total_items, found.meta.total_pages, found.meta.page) == (3, 2, 1)
    assert (found.data[1].versions, found.data[1].last_config) == ([1, 2], {"n": 2})
    assert sorted(found.data[1].labels) == ["latest", "listed"]
    assert [one.name for one in listed(tag="listing", limit=2, page=2).data] == ["list/c"]
    assert [one.versions for one in listed(name="list/b", label="listed").data] == [[1]]
    assert [one.versions for one in listed(name="list/b", label="latest").data] == [[2]]
    moment = found.data[1].last_updated_at
    assert "list/b" in [one.name for one in listed(from_updated_at=moment).data]
    assert listed(name="list/b", to_updated_at=moment.replace(year=2000)).data == []
    raises(400, lambda: listed(limit=101), "limit")
    if major() >= 5:
        starts = {"type": "string", "column": "name", "operator": "starts with", "value": "list/"}
        old = {"type": "number", "column": "version", "operator": ">=", "value": 2}
        found = listed(filter=json.dumps([starts, old]))
        assert [(one.name, one.versions) for one in found.data] == [("list/b", [2])]


@scenario
def prompts_are_deleted() -> None:
    langfuse = client()
    for text in ("one", "two", "three"):
        langfuse.create_prompt(name="gone", prompt=text, labels=[text])
    delete = langfuse.api.prompts.delete
    delete("gone", version=3)
    assert langfuse.get_prompt("gone", label="latest", cache_ttl_seconds=0).version == 2
    delete("gone", label="one")
    assert langfuse.api.prompts.list(name="gone").data[0].versions == [2]
    raises(404, lambda: delete("gone", label="one"))
    delete("gone")
    raises(404, lambda: langfuse.get_prompt("gone", label="latest", cache_ttl_seconds=0))
    raises(404, lambda: delete("gone"))


@scenario
def errors_say_what_is_wrong() -> None:
    langfuse = client()
    raises(404, lambda: langfuse.get_prompt("nothing", max_retries=0), "nothing")
    raises(400, lambda: langfuse.create_prompt(name="a|b", prompt="x"), "|")
    raises(400, lambda: langfuse.create_prompt(name="empty", prompt=""))
    langfuse.create_prompt(name="typed", prompt="x")
    chat = [{"role": "user", "content": "x"}]
    raises(400, lambda: langfuse.create_prompt(name="typed", type="chat", prompt=chat), "type")
    both = [{"type": "placeholder", "name": "x"}, {"role": "user", "content": "{{x}}"}]
    raises(400, lambda: langfuse.create_prompt(name="both", type="chat", prompt=both), "x as both")
    raises(400, lambda: langfuse.api.prompts.get("typed", version=1, label="latest"))
    raises(404, lambda: langfuse.get_prompt("typed", max_retries=0), "production")


@scenario
def what_is_cached_is_refreshed() -> None:
    from langfuse.api import LangfuseAPI

    langfuse = client()
    other = LangfuseAPI(
        base_url=os.environ["LANGFUSE_BASE_URL"],
        username=os.environ["LANGFUSE_PUBLIC_KEY"],
        password=os.environ["LANGFUSE_SECRET_KEY"],
    )
    langfuse.create_prompt(name="cached", prompt="one", labels=["production"])
    assert langfuse.get_prompt("cached").prompt == "one"
    assert langfuse.get_prompt("cached", label="latest", cache_ttl_seconds=1).prompt == "one"
    body = {"name": "cached", "prompt": "two", "labels": ["production"]}
    request = other._client_wrapper.httpx_client.request
    assert request("api/public/v2/prompts", method="POST", json=body).status_code == 201
    assert langfuse.get_prompt("cached").prompt == "one"  # for 60 seconds
    latest = lambda: langfuse.get_prompt("cached", label="latest", cache_ttl_seconds=1)  # noqa: E731
    assert wait(lambda: latest().prompt == "two")  # stale once, then refreshed behind the scenes
    assert langfuse.get_prompt("cached", cache_ttl_seconds=0).prompt == "two"
    langfuse.clear_prompt_cache()
    assert langfuse.get_prompt("cached").prompt == "two"


@scenario
def a_fallback_stands_in_while_the_server_is_down() -> None:
    down = client(
        public_key="pk-down",
        secret_key="sk",
        base_url=f"http://127.0.0.1:{os.environ['CLOSED_PORT']}",
        timeout=1,
    )
    found = down.get_prompt("any", fallback="Hello {{name}}", max_retries=0)
    assert found.is_fallback
    assert found.compile(name="Aoi") == "Hello Aoi"
    chat = [{"role": "user", "content": "{{name}}"}]
    assert (
        down.get_prompt("any", type="chat", fallback=chat, max_retries=0).compile(name="A")[0]["content"]
        == "A"
    )


def read_scores(langfuse, **filters):
    if major() >= 5:
        return langfuse.api.scores.get_many(fields="details,subject,annotation", **filters).data
    return langfuse.api.scores.get_many(**filters).data


@scenario
def scores_are_sent_and_read_back() -> None:
    langfuse = client()
    trace = langfuse.create_trace_id()
    for _ in range(2):  # the same id twice is one score
        langfuse.create_score(
            name="accuracy", value=0.92, trace_id=trace, score_id=f"{trace}-1", data_type="NUMERIC",
            comment="短い", metadata={"prompt": "text", "version": 1},
        )  # fmt: skip
    langfuse.create_score(name="tone", value="kind", trace_id=trace, observation_id="b" * 16)
    langfuse.create_score(name="helpful", value=True, trace_id=trace, data_type="BOOLEAN")
    langfuse.create_score(name="note", value="why", session_id=f"s-{trace}", data_type="TEXT")
    langfuse.flush()
    found = {one.name: one for one in read_scores(langfuse, trace_id=trace)}
    assert set(found) == {"accuracy", "tone", "helpful"}
    assert (found["accuracy"].value, found["accuracy"].id) == (0.92, f"{trace}-1")
    assert (found["accuracy"].comment, found["accuracy"].metadata) == (
        "短い",
        {"prompt": "text", "version": 1},
    )
    tone, helpful = found["tone"], found["helpful"]
    assert (tone.value if major() >= 5 else tone.string_value) == "kind"
    assert (tone.data_type, helpful.data_type, helpful.value) == ("CATEGORICAL", "BOOLEAN", 1)
    assert [one.data_type for one in read_scores(langfuse, session_id=f"s-{trace}")] == ["TEXT"]


@scenario
def many_scores_are_read_page_by_page() -> None:
    langfuse = client()
    name = f"many-{uuid.uuid4().hex}"
    for at in range(7):
        langfuse.create_score(name=name, value=at, trace_id="c" * 32)
    langfuse.flush()
    seen = []
    if major() >= 5:
        cursor = None
        while True:
            answer = langfuse.api.scores.get_many(name=name, limit=3, cursor=cursor)
            seen += [one.value for one in answer.data]
            cursor = answer.meta.cursor
            if cursor is None:
                break
    else:
        for number in (1, 2, 3):
            answer = langfuse.api.scores.get_many(name=name, limit=3, page=number)
            assert (answer.meta.total_items, answer.meta.total_pages) == (7, 3)
            seen += [one.value for one in answer.data]
    assert sorted(seen) == [0, 1, 2, 3, 4, 5, 6]
    assert len(seen) == 7


@scenario
def a_score_is_sent_alone_and_deleted() -> None:
    langfuse = client()
    key = uuid.uuid4().hex
    if major() >= 5:
        from langfuse.api.scores.types.create_score_batch_results import CreateScoreBatchResults
        from langfuse.api.scores.types.create_score_request import CreateScoreRequest

        good, bad = ({"id": f"{key}{end}", "name": "x", "value": 1.0} for end in "ab")
        answer = langfuse.api.scores.create(
            request=[CreateScoreRequest(**good, trace_id="d" * 32), CreateScoreRequest(**bad)]
        )
        assert isinstance(answer, CreateScoreBatchResults)
        assert (answer.accepted, answer.rejected) == (1, 1)
        assert "traceId" in answer.errors[0].message
        key = f"{key}a"
    else:
        create = langfuse.api.legacy.score_v1.create if hasattr(langfuse.api, "legacy") else None
        create = getattr(langfuse.api.scores, "create", create)
        assert create(id=key, name="x", value=1.0, trace_id="d" * 32).id == key
    langfuse_delete = getattr(langfuse.api.scores, "delete", None) or langfuse.api.legacy.score_v1.delete
    langfuse_delete(key)
    raises(404, lambda: langfuse_delete(key))


@scenario
def traces_are_taken() -> None:
    import logging

    noted: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: noted.append(record.getMessage())
    logging.getLogger().addHandler(handler)
    try:
        langfuse = client()
        prompt = langfuse.create_prompt(name="traced", prompt="x", labels=["production"])
        with langfuse.start_as_current_observation(name="run", as_type="span") as span:
            with langfuse.start_as_current_observation(name="call", as_type="generation", prompt=prompt):
                langfuse.score_current_span(name="inner", value=0.5)
            span.update(output="done")
            trace = span.trace_id
        langfuse.flush()
    finally:
        logging.getLogger().removeHandler(handler)
    assert noted == []
    assert [one.name for one in read_scores(langfuse, trace_id=trace)] == ["inner"]


@scenario
def litellm_gets_prompts() -> None:
    """The calls of litellm's hook (`integrations/langfuse/langfuse_sdk.py` of 1.110), in its way."""
    from langfuse.api import LangfuseAPI
    from langfuse.model import ChatPromptClient

    client().create_prompt(
        name="litellm/chat", type="chat", labels=["production"], config={"model": "gpt-5-mini", "top_p": 1},
        prompt=[{"role": "system", "content": "Answer {{tone}}."}],
    )  # fmt: skip
    api = LangfuseAPI(
        base_url=os.environ["LANGFUSE_BASE_URL"],
        username=os.environ["LANGFUSE_PUBLIC_KEY"],
        password=os.environ["LANGFUSE_SECRET_KEY"],
        x_langfuse_sdk_name="python",
        x_langfuse_sdk_version="4.18.0",
        x_langfuse_public_key=os.environ["LANGFUSE_PUBLIC_KEY"],
    )
    once = {"max_retries": 0}
    assert api.projects.get(request_options=once).data[0].id
    found = api.prompts.get(quote("litellm/chat", safe=""), version=None, label=None, request_options=once)
    assert found.type == "chat"
    prompt = ChatPromptClient(found)
    assert prompt.compile(tone="briefly") == [{"role": "system", "content": "Answer briefly."}]
    assert prompt.config.get("model") == "gpt-5-mini"


def main() -> None:
    found = {}
    for name, run in SCENARIOS.items():
        try:
            run()
            found[name] = ""
        except Exception:  # noqa: BLE001 - it is shown by the test of that name
            found[name] = traceback.format_exc()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
