"""The console's page that compares two environments and merges one into the other."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from ops import comparison_page
from ops.environments.local import Provider
from ops.environments.opening import opened
from prompts.models import Prompt, PromptLabel, PromptVersion
from tests.ops.environments.conftest import LINES, branches, change, contents, local

from .conftest import text_of

__all__ = ["branches", "local"]
PAGE = "/admin/ops/environment/compare/"
BOTH = f"{PAGE}?left=feature&right=stable"
HOSTILE = "<script>alert('x')</script>\n{{ csrf_token }}\n"


@pytest.fixture
def conflict(branches: Provider) -> Provider:
    """Both have changed the second line."""
    change(branches, "stable", "p", LINES.replace("two", "TWO"))
    change(branches, "feature", "p", LINES.replace("two", "二<b>"))
    return branches


def send(client: Client, action: str, page: str = BOTH, **fields: Any) -> Any:
    confirmation = "stable" if action == "merge" else ""
    return client.post(page, {"action": action, "prompt": ["p"], "confirmation": confirmation} | fields)


def many(provider: Provider, count: int) -> None:
    with opened(provider, "feature") as alias:
        user = Prompt.objects.using(alias).get().user
        for number in range(count):
            Prompt(user=user, name=f"many/{number:03}", title="t", content="x").save(using=alias, index=False)


def test_what_differs_is_shown_side_by_side(admin: Client, branches: Provider) -> None:
    change(branches, "feature", "p", LINES.replace("two", "二つ"), title="題名")
    change(branches, "feature", "new", "こんにちは。\n")
    change(branches, "stable", "only/here", "x")
    answer = admin.get(BOTH)
    page = text_of(answer)
    assert answer.status_code == 200
    assert "<b>1</b> only in feature" in page
    assert "<b>1</b> only in stable" in page
    assert "<b>1</b> differs" in page
    assert "content, title differ" in page
    assert "<del>二つ" in page
    assert "<ins>two" in page
    assert '<div role="cell" class="afn-cell afn-mine">題名</div>' in page
    assert '<pre class="afn-text">こんにちは。 </pre>' in page
    assert 'value="only/here"' not in page  # what the left one has not got cannot be merged


def test_nothing_that_is_stored_is_markup(admin: Client, branches: Provider) -> None:
    change(branches, "feature", "<b>", HOSTILE, title=HOSTILE.strip())
    change(branches, "feature", "p", HOSTILE + LINES, title="<i>")
    change(branches, "stable", "p", HOSTILE[::-1] + LINES, title="<u>")
    merged = send(admin, "preview", prompt=["p", "<b>"])
    page = text_of(admin.get(BOTH)) + text_of(merged)
    assert "alert(&#x27;x&#x27;)" in page
    assert "{{ csrf_token }}" in page
    for markup in ("<script>alert", "<i>", "<u>", 'value="<b>"'):
        assert markup not in page


def test_environments_that_are_alike_are_said_to_be(admin: Client, branches: Provider) -> None:
    page = text_of(admin.get(BOTH))
    assert "feature and stable have the same 1 prompt." in page
    assert 'value="merge"' not in page


def test_the_page_of_environments_leads_there(admin: Client, branches: Provider) -> None:
    page = text_of(admin.get("/admin/ops/environment/"))
    assert f'<form method="get" action="{PAGE}"> <input type="hidden" name="left" value="feature">' in page
    assert "<option>stable</option>" in page
    assert "Choose them above" in text_of(admin.get(PAGE))


def test_a_prompt_of_another_name_is_shown_with_both(admin: Client, branches: Provider) -> None:
    with opened(branches, "feature") as alias:
        prompt = Prompt.objects.using(alias).get()
        prompt.name = "q"
        prompt.save(using=alias)
    assert "q → p" in text_of(admin.get(BOTH))
    assert send(admin, "merge", prompt=["q"]).status_code == 302
    assert set(contents(branches, "stable")) == {"q"}


def test_many_are_shown_page_by_page(admin: Client, branches: Provider) -> None:
    many(branches, 120)
    first, last = (admin.get(f"{BOTH}&page={page}") for page in (1, 3))
    assert text_of(first).count('name="prompt"') == 50
    assert text_of(last).count('name="prompt"') == 20
    assert "many/119" in text_of(last)
    assert "left=feature&amp;right=stable&amp;page=2" in text_of(first)
    assert send(admin, "merge", f"{BOTH}&page=3", which="ticked", prompt=["many/119"]).status_code == 302
    assert set(contents(branches, "stable")) == {"p", "many/119"}
    assert send(admin, "merge", f"{BOTH}&page=3", which="all", prompt=[]).status_code == 302
    assert contents(branches, "stable") == contents(branches, "feature")


def test_what_is_too_long_is_shown_alone(
    admin: Client, branches: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_page, "_LENGTH", 100)
    change(branches, "feature", "a", "short")
    change(branches, "feature", "long & wide", "far " * 100)
    page = text_of(admin.get(BOTH))
    assert "short</pre>" in page
    assert "far far" not in page
    assert "prompt=long+%26+wide" in page
    assert "far far" in text_of(admin.get(f"{BOTH}&prompt=long+%26+wide"))


def test_diffs_of_a_page_have_so_many_rows(
    admin: Client, branches: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_page, "_ROWS", 4)
    for name in ("a", "b"):
        change(branches, "stable", name, LINES)
        change(branches, "feature", name, LINES.upper())
    page = text_of(admin.get(BOTH))
    assert page.count("more lines, with changes, not shown") == 1
    assert page.count("too much for this page") == 1


def test_a_preview_says_what_would_be_written(admin: Client, branches: Provider) -> None:
    change(branches, "feature", "new", "x")
    answer = send(admin, "preview", prompt=["p", "new"], message="Why & how")
    page = text_of(answer)
    assert answer.status_code == 200
    assert "1 prompt would come from feature to stable. 1 has nothing new." in page
    assert '<span class="afn-tag">new</span> new' in page
    assert 'value="Why &amp; how"' in page  # the form is kept
    assert set(contents(branches, "stable")) == {"p"}
    assert not LogEntry.objects.exists()


def test_a_preview_shows_conflicts(admin: Client, conflict: Provider) -> None:
    answer = send(admin, "preview")
    assert answer.status_code == 200
    assert "&lt;&lt;&lt;&lt;&lt;&lt;&lt; ours, line 2 TWO" in text_of(answer)


def test_chosen_prompts_are_merged_and_logged(admin: Client, branches: Provider) -> None:
    for name in ("a", "b"):
        change(branches, "feature", name, "x")
    answer = send(admin, "merge", prompt=["a"])
    assert (answer.status_code, answer["Location"]) == (302, BOTH)
    assert "1 prompt came from feature to stable." in text_of(admin.get(BOTH))
    assert set(contents(branches, "stable")) == {"a", "p"}
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.is_change()) == ("stable", True)
    assert "came from feature to stable. a" in entry.change_message


def test_a_merge_of_nothing_new_says_so(admin: Client, branches: Provider) -> None:
    change(branches, "stable", "p", "newer")
    send(admin, "merge")
    assert "feature has nothing that stable lacks" in text_of(admin.get(BOTH))
    assert not LogEntry.objects.exists()


def test_conflicts_are_shown_and_nothing_is_written(admin: Client, conflict: Provider) -> None:
    change(conflict, "feature", "new", "x")
    answer = send(admin, "merge", prompt=["p", "new"])
    page = text_of(answer)
    assert answer.status_code == 409
    assert "Nothing was written: 1 conflict." in page
    assert "======= 二&lt;b&gt; &gt;&gt;&gt;&gt;&gt;&gt;&gt; theirs, line 2" in page
    assert contents(conflict, "stable") == {"p": LINES.replace("two", "TWO")}
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(("resolve", "line"), [("ours", "TWO"), ("theirs", "二<b>")])
def test_one_side_wins_where_asked(admin: Client, conflict: Provider, resolve: str, line: str) -> None:
    assert send(admin, "merge", resolve=resolve).status_code == 302
    assert contents(conflict, "stable") == {"p": LINES.replace("two", line)}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"confirmation": "feature"}, "type stable into the field"),
        ({"prompt": []}, "choose a prompt"),
        ({"prompt": ["nothing"]}, "&#x27;nothing&#x27;"),
        ({"prompt": ["\0"]}, "without NUL"),
        ({"message": "\0"}, "without NUL"),
        ({"resolve": "<mine>"}, "&#x27;&lt;mine&gt;&#x27;"),
    ],
)
def test_what_cannot_be_merged_is_told(
    admin: Client, branches: Provider, fields: dict[str, Any], text: str
) -> None:
    change(branches, "feature", "p", "newer")
    answer = send(admin, "merge", **fields)
    assert (answer.status_code, text in text_of(answer)) == (400, True)
    assert contents(branches, "stable") == {"p": LINES}


def test_a_frozen_target_says_why(admin: Client, branches: Provider) -> None:
    change(branches, "feature", "p", "newer")
    branches.freeze("stable", "<b>引越し中")
    answer = send(admin, "merge")
    assert answer.status_code == 423
    assert "stable is frozen, nothing was merged: &lt;b&gt;引越し中" in text_of(answer)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("left=stable&right=stable", "the same database"),
        ("left=stable&right=nowhere", "There is no environment"),
        ("left=..%252f&right=stable", "lower-case letters"),
        ("left=stable&right=../<b>", "lower-case letters"),
        ("left=feature&right=stable&prompt=nothing", "&#x27;nothing&#x27;"),
        ("left=feature&right=stable&prompt=%00", "without NUL"),
    ],
)
def test_what_cannot_be_compared_is_told(admin: Client, branches: Provider, query: str, text: str) -> None:
    answer = admin.get(f"{PAGE}?{query}")
    assert (answer.status_code, text in text_of(answer)) == (400, True)
    assert "../<b>" not in text_of(answer)


@pytest.mark.parametrize(
    "pair", ["left=stable&right=stable", "left=feature&right=nowhere", "left=..&right=x"]
)
def test_a_merge_of_what_cannot_be_compared_is_told(admin: Client, branches: Provider, pair: str) -> None:
    for action in ("preview", "merge"):
        answer = send(admin, action, f"{PAGE}?{pair}", confirmation=pair.rpartition("=")[2])
        assert (answer.status_code, 'role="alert"' in text_of(answer)) == (400, True)


def test_one_whose_migrations_are_unfinished_is_told(admin: Client, branches: Provider) -> None:
    branches.create("bare")
    answer = admin.get(f"{PAGE}?left=stable&right=bare")
    assert (answer.status_code, "bare has no tables of prompts" in text_of(answer)) == (400, True)


def test_each_part_needs_its_permission(staff: Callable[..., Client], branches: Provider) -> None:
    change(branches, "feature", "p", "newer")
    client = staff("view_environment")
    page = text_of(client.get(BOTH))
    assert "<b>1</b> differs" in page
    assert 'value="merge"' not in page
    assert 'name="prompt"' not in page
    for action in ("preview", "merge"):
        assert send(client, action).status_code == 403
    assert contents(branches, "stable") == {"p": LINES}


def test_who_may_not_look_does_not_see_it(staff: Callable[..., Client], branches: Provider) -> None:
    client = staff("view_prompt", "change_environment")
    assert client.get(BOTH).status_code == send(client, "merge").status_code == 403


def test_a_form_of_another_site_does_nothing(aoi: Any, branches: Provider) -> None:
    change(branches, "feature", "p", "newer")
    client = Client(enforce_csrf_checks=True)
    client.force_login(aoi)
    assert send(client, "merge").status_code == 403
    assert contents(branches, "stable") == {"p": LINES}


def test_labels_of_both_sides_are_shown(admin: Client, branches: Provider) -> None:
    change(branches, "feature", "p", LINES.replace("two", "2"))
    with opened(branches, "feature") as alias:
        prompt = Prompt.objects.using(alias).get()
        version = PromptVersion.objects.using(alias).get(prompt=prompt, version=2)
        PromptLabel.objects.using(alias).create(prompt=prompt, version=version, name="production")
    answer = admin.get(BOTH)
    [entry] = answer.context["entries"]
    assert [(one.name, one.version, one.differs) for one in entry.left_labels] == [("production", 2, True)]
    assert entry.right_labels == []
    assert "production v2" in text_of(answer)


@pytest.mark.parametrize("place", [0, 4096, None])
def test_a_damaged_one_is_said_to_be(admin: Client, branches: Provider, place: int | None) -> None:
    """Its first page, its second one, or every one after these."""
    file = branches._folder / "feature.db"
    content = bytearray(file.read_bytes())
    torn = range(place, place + 4096) if place is not None else range(8192, len(content))
    for at in torn:
        content[at] ^= 0xA5
    file.write_bytes(content)
    answer = admin.get(BOTH)
    assert answer.status_code in (400, 500)
    assert answer.context["problem"]
    assert "feature" in answer.context["problem"]
