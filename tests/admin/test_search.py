from collections.abc import Callable

import pytest
from django.test import Client

from prompts.admin.search import segments
from prompts.models import Prompt
from vectors.embedders.base import Embedder
from vectors.limits import MAX_QUERY
from vectors.snippets import snippet

from .conftest import text_of

SCRIPT = "<script>alert('resume')</script>"


def test_results_show_where_the_words_are(admin: Client, make: Callable[..., Prompt]):
    prompt = make(
        "writing/resume", "Rewrite the resume below.", title="Resume", tags=["career"], status="active"
    )

    page = text_of(admin.get("/admin/search/?q=resume"))

    assert "Rewrite the <mark>resume</mark> below." in page
    assert f"/admin/prompts/prompt/{prompt.pk}/change/" in page
    for part in (
        "career",
        "scanned",
        "exact",
        "exhaustive",
        "distance",
        "words <b>#1</b>",
        "meaning <b>#1</b>",
    ):
        assert part in page


def test_stored_html_is_text(admin: Client, make: Callable[..., Prompt]):
    make("evil/one", f"{SCRIPT} resume <b>bold</b>", title=SCRIPT, tags=["<i>tag</i>"])

    page = text_of(admin.get("/admin/search/", {"q": "resume <script>"}))

    assert "<script>alert" not in page
    assert "&lt;<mark>script</mark>&gt;alert(&#x27;<mark>resume</mark>&#x27;)" in page
    assert "<b>bold</b>" not in page
    assert "<i>tag</i>" not in page


def test_a_query_with_html_is_text(admin: Client, make: Callable[..., Prompt]):
    make("writing/resume")

    page = text_of(admin.get("/admin/search/", {"q": '"><script>alert(1)</script>', "tag": '"><img src=x>'}))

    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_two_japanese_characters_are_enough(admin: Client, make: Callable[..., Prompt], mode: str):
    make("要約/記事", "次の記事を要約してください。", title="記事の要約", language="ja")
    make("writing/resume", "Rewrite the resume below.", language="en")

    answer = admin.get("/admin/search/", {"q": "要約", "mode": mode})

    assert answer.context["search"].results[0].prompt.name == "要約/記事"
    assert "次の記事を<mark>要約</mark>してください。" in text_of(answer)


@pytest.mark.parametrize(
    ("name", "value"), [("status", "active"), ("tag", "career"), ("language", "en"), ("folder", "writing")]
)
def test_filters_restrict(admin: Client, make: Callable[..., Prompt], name: str, value: str):
    make("writing/resume", language="en", tags=["career", "x"], status="active")
    make("work/resume", language="ja", tags=["careers"], status="draft")

    found = admin.get("/admin/search/", {"q": "resume", name: value}).context["search"]

    assert [hit.prompt.name for hit in found.results] == ["writing/resume"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"k": "0"}, "<strong>k</strong>: expected an integer from 1 to 1,000, got 0."),
        ({"k": "many"}, "<strong>k</strong>: expected an integer from 1 to 1,000, got &#x27;many&#x27;."),
        ({"k": "٣"}, "<strong>k</strong>: expected an integer"),
        ({"mode": "psychic"}, "<strong>mode</strong>: expected hybrid, semantic, keyword, got"),
        ({"status": "gone"}, "<strong>status</strong>: expected draft or active or archived, got"),
        ({"q": "x" * (MAX_QUERY + 1)}, "<strong>query</strong>: expected"),
        ({"q": "a\0b"}, "<strong>query</strong>: expected"),
    ],
)
def test_a_wrong_value_is_named_in_place(
    admin: Client, make: Callable[..., Prompt], wrong: dict[str, str], message: str
):
    make("writing/resume")

    answer = admin.get("/admin/search/", {"q": "resume"} | wrong)

    assert answer.status_code == 400
    assert message in text_of(answer)


def test_an_embedder_out_of_reach_is_told(admin: Client, make: Callable[..., Prompt], monkeypatch):
    from vectors.errors import EmbedderError

    def fail(self: Embedder, text: str):
        raise EmbedderError("embedder", "an answer", "none", "Start it.")

    make("writing/resume")
    monkeypatch.setattr(Embedder, "embed_query", fail)

    answer = admin.get("/admin/search/?q=resume")

    assert answer.status_code == 503
    assert "expected an answer, got none. Start it." in text_of(answer)


def test_empty_pages_say_what_to_do_next(admin: Client, make: Callable[..., Prompt], aoi):
    assert "import_prompts" in text_of(admin.get("/admin/search/"))

    Prompt(user=aoi, name="a", title="a", content="resume").save(index=False)
    assert "embed_prompts" in text_of(admin.get("/admin/search/?q=resume"))

    make("b", "resume")
    assert "1 of 2 prompts changed" in text_of(admin.get("/admin/search/"))
    assert "Search without filters" in text_of(admin.get("/admin/search/?q=resume&status=archived"))


def test_looking_at_the_page_writes_nothing(admin: Client, django_assert_num_queries):
    from vectors.models import Collection

    admin.get("/admin/search/")

    assert not Collection.objects.exists()


def test_segments_rebuild_the_snippet():
    text = "Résumé: the resume of a RESUME, 要約 and <b>"
    found = snippet(text, "resume 要約")

    assert "".join(part for part, _ in segments(found)) == found.text
    assert [part for part, is_marked in segments(found) if is_marked] == ["resume", "RESUME", "要約"]


def test_the_number_of_queries_does_not_grow(
    admin: Client, make: Callable[..., Prompt], django_assert_max_num_queries
):
    for number in range(12):
        make(f"writing/resume-{number}")

    with django_assert_max_num_queries(10):
        admin.get("/admin/search/?q=resume")
