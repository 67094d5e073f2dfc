"""What is kept is given to nobody who asks for something else."""

from .conftest import Place


def test_a_question_mark_in_a_name_is_not_the_one_before_the_query(alone: Place) -> None:
    site = alone.add_site()
    for name, content in (("a", "short"), ("a?", "long")):
        made = site.call("POST", "/prompts", {"name": name, "title": "T", "content": content})
        assert made.status == 201, made.body
    # To both, this is the path, a question mark, and the rest.
    first = site.get("/prompts/a??version=1")
    second = site.call("GET", "/prompts/a%3F?version=1")
    assert second.status == 200, second.body
    assert second.json["content"] == "long"
    assert first.status != 200 or first.json["content"] == "short"
