"""Whoever asks after a write's answer sees what was written, in whatever process."""

import pytest

from tests.processes import manage

from .conftest import Place, Site, soon

PROMPT = "/prompts/parts/tone"


def write(site: Site, content: str) -> None:
    answer = site.call("PATCH", PROMPT, {"content": content})
    assert answer.status == 200, answer.body


def create(site: Site, content: str = "first") -> None:
    answer = site.call("POST", "/prompts", {"name": "parts/tone", "title": "Tone", "content": content})
    assert answer.status == 201, answer.body


def check_every_write_is_seen(writer: Site, reader: Site) -> None:
    create(writer)
    assert reader.content(PROMPT) == "first"
    assert reader.content(PROMPT) == "first"
    for number in range(40):
        write(writer, f"text {number}")
        answer = reader.get(PROMPT)
        assert answer.json["content"] == f"text {number}"
        assert reader.get(PROMPT).source == "memory"


@pytest.mark.redis
def test_a_write_is_seen_by_another_process_at_once(together: Place) -> None:
    check_every_write_is_seen(together.add_site(), together.add_site())


def test_a_write_is_seen_by_another_process_without_redis(alone: Place) -> None:
    check_every_write_is_seen(alone.add_site(), alone.add_site())


@pytest.mark.redis
def test_an_answer_of_one_process_serves_another(together: Place) -> None:
    first, second = together.add_site(), together.add_site()
    create(first)
    assert first.get(PROMPT).source == "miss"
    assert second.get(PROMPT).source == "shared"
    assert second.get(PROMPT).source == "memory"


@pytest.mark.redis
def test_whatever_changes_an_answer_is_seen(together: Place) -> None:
    writer, reader = together.add_site(), together.add_site()
    create(writer)
    write(writer, "second")

    def shown(path: str = PROMPT) -> object:
        return reader.get(path).json

    assert shown()["labels"] == {"latest": 2}
    writer.call("PUT", f"{PROMPT}/labels/production", {"version": 1})
    assert shown()["labels"] == {"latest": 2, "production": 1}
    assert shown(f"{PROMPT}?label=production")["content"] == "first"
    writer.call("PUT", f"{PROMPT}/labels/production", {"version": 2})
    assert shown(f"{PROMPT}?label=production")["content"] == "second"
    writer.call("POST", f"{PROMPT}/labels/production/undo", {})
    assert shown(f"{PROMPT}?label=production")["content"] == "first"
    assert len(shown("/bundle?label=production")["prompts"]) == 1
    writer.call("DELETE", f"{PROMPT}/versions/2")
    assert shown()["content"] == "first"
    writer.call("POST", f"{PROMPT}/archive")
    assert shown()["status"] == "archived"
    writer.call("DELETE", PROMPT)
    assert reader.get(PROMPT).status == 404
    assert shown("/bundle?label=production")["prompts"] == []


@pytest.mark.redis
def test_what_a_prompt_includes_is_seen(together: Place) -> None:
    writer, reader = together.add_site(), together.add_site()
    create(writer)
    whole = {"name": "whole", "title": "Whole", "content": "<@@@prompt:name=parts/tone|label=latest@@@>"}
    assert writer.call("POST", "/prompts", whole).status == 201
    assert reader.content("/prompts/whole") == "<first>"
    write(writer, "second")
    assert reader.content("/prompts/whole") == "<second>"


@pytest.mark.redis
def test_a_command_is_a_writer_as_well(together: Place) -> None:
    site = together.add_site()
    create(site)
    assert site.content(PROMPT) == "first"
    file = together.folder / "prompts.jsonl"
    file.write_text('{"name": "parts/tone", "title": "Tone", "content": "imported"}\n')
    assert manage("import_prompts", str(file), **together.variables).returncode == 0
    assert site.content(PROMPT) == "imported"


@pytest.mark.redis
def test_plain_sql_is_noticed_after_a_while(together: Place) -> None:
    site = together.add_site()
    create(site)
    assert site.content(PROMPT) == "first"
    together.sql("UPDATE prompts SET title = ? WHERE name = ?", "By hand", "parts/tone")
    assert soon(lambda: site.get(PROMPT).json["title"] == "By hand", 10)


@pytest.mark.redis
def test_a_write_while_redis_is_down_is_seen_then_and_afterwards(together: Place) -> None:
    assert together.redis
    writer, reader = together.add_site(), together.add_site()
    create(writer)
    assert reader.content(PROMPT) == "first"
    together.redis.stop()
    write(writer, "meanwhile")
    assert reader.content(PROMPT) == "meanwhile"
    together.redis.start()  # with what it has kept of before
    for number in range(30):
        assert reader.content(PROMPT) == f"text {number - 1}" if number else "meanwhile"
        write(writer, f"text {number}")


@pytest.mark.redis
def test_without_redis_pages_go_on_and_nobody_waits_twice(together: Place) -> None:
    assert together.redis
    site = together.add_site()
    create(site)
    together.redis.stop()
    answers = [site.get(PROMPT) for _ in range(50)]
    assert {answer.status for answer in answers} == {200}
