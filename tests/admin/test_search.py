from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.test import Client

from prompts import indexing
from prompts.labels import move_label
from prompts.models import Evaluation, Prompt, User
from vectors.embedders.base import Embedder
from vectors.limits import MAX_QUERY
from vectors.relevance.models import EvaluationRun, Judgement
from vectors.snippets import segments, snippet

from .conftest import text_of

Make = Callable[..., Prompt]
SCRIPT = "<script>alert('resume')</script>"


def test_results_show_where_the_words_are(admin: Client, make: Make):
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


def test_stored_html_is_text(admin: Client, make: Make):
    make("evil/one", f"{SCRIPT} resume <b>bold</b>", title=SCRIPT, tags=["<i>tag</i>"])

    page = text_of(admin.get("/admin/search/", {"q": "resume <script>"}))

    assert "<script>alert" not in page
    assert "&lt;<mark>script</mark>&gt;alert(&#x27;<mark>resume</mark>&#x27;)" in page
    assert "<b>bold</b>" not in page
    assert "<i>tag</i>" not in page


def test_a_query_with_html_is_text(admin: Client, make: Make):
    make("writing/resume")

    page = text_of(admin.get("/admin/search/", {"q": '"><script>alert(1)</script>', "tag": '"><img src=x>'}))

    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_two_japanese_characters_are_enough(admin: Client, make: Make, mode: str):
    make("要約/記事", "次の記事を要約してください。", title="記事の要約", language="ja")
    make("writing/resume", "Rewrite the resume below.", language="en")

    answer = admin.get("/admin/search/", {"q": "要約", "mode": mode})

    assert answer.context["search"].results[0].prompt.name == "要約/記事"
    assert "次の記事を<mark>要約</mark>してください。" in text_of(answer)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "active"),
        ("tag", "career"),
        ("language", "en"),
        ("folder", "writing"),
        ("label", "production"),
        ("owner", "ben"),
        ("score", "0.8"),
    ],
)
def test_filters_restrict(admin: Client, make: Make, aoi: User, name: str, value: str):
    wanted = make("writing/resume", language="en", tags=["career", "x"], status="active")
    other = make("work/resume", language="ja", tags=["careers"], status="draft")
    wanted.user = User.objects.create_user("ben", "ben@example.com")
    wanted.save(index=False)
    indexing.index([wanted])
    # Of what follows the index hears nothing.
    move_label(wanted, "production", 1, actor=aoi)
    move_label(other, "staging", 1, actor=aoi)
    for prompt, score in ((wanted, 0.4), (wanted, 0.8), (other, 0.79)):
        Evaluation.objects.create(prompt=prompt, version=prompt.versions.get(), score=score)

    found = admin.get("/admin/search/", {"q": "resume", name: value}).context["search"]

    assert [hit.prompt.name for hit in found.results] == ["writing/resume"]


def test_of_several_tags_a_result_has_all_and_each_is_taken_off_for_itself(admin: Client, make: Make):
    make("one", "resume", tags=["a", "b"])
    make("two", "resume", tags=["a", "c"])

    answer = admin.get("/admin/search/?q=resume&mode=keyword&tag=a&tag=b&tag=a&status=draft")

    assert [hit.prompt.name for hit in answer.context["search"].results] == ["one"]
    chips = {(chip.name, chip.value): chip.address for chip in answer.context["chips"]}
    assert chips == {
        ("status", "Draft"): "?q=resume&mode=keyword&tag=a&tag=b",
        ("tag", "a"): "?q=resume&mode=keyword&status=draft&tag=b",
        ("tag", "b"): "?q=resume&mode=keyword&status=draft&tag=a",
    }


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status", ["Draft", "Active", "Archived"]),
        ("label", ["production"]),
        ("tag", ["career", "<b>"]),
        ("folder", ["writing"]),
        ("language", ["en"]),
        ("owner", ["aoi"]),
    ],
)
def test_a_filter_offers_what_the_prompts_have(
    admin: Client, make: Make, aoi: User, name: str, values: list[str]
):
    move_label(make("writing/a", tags=["career"], language="en"), "production", 1, actor=aoi)
    make("writing/b", tags=["career", "<b>"], language="en")

    answer = admin.get(f"/admin/search/?q=resume&tag=x&pick={name}", headers={"HX-Request": "true"})

    assert [text for text, _ in answer.context["values"]] == values
    assert "<b>" not in text_of(answer)
    kept = "tag=x&amp;tag=career" if name == "tag" else "tag=x"
    assert kept in text_of(answer)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"k": "0"}, "<strong>k</strong>: expected an integer from 1 to 1,000, got 0."),
        ({"k": "many"}, "<strong>k</strong>: expected an integer from 1 to 1,000, got &#x27;many&#x27;."),
        ({"k": "٣"}, "<strong>k</strong>: expected an integer"),
        ({"mode": "psychic"}, "<strong>mode</strong>: expected hybrid, semantic, keyword, got"),
        ({"score": "nan"}, "<strong>score</strong>: expected a number from 0 to 1, got &#x27;nan&#x27;."),
        ({"label": "a\0b"}, "<strong>label</strong>: expected"),
        ({"owner": "x" * 300}, "<strong>owner</strong>: expected"),
        ({"status": "gone"}, "<strong>status</strong>: expected draft or active or archived, got"),
        ({"q": "x" * (MAX_QUERY + 1)}, "<strong>query</strong>: expected"),
        ({"q": "a\0b"}, "<strong>query</strong>: expected"),
    ],
)
def test_a_wrong_value_is_named_in_place(admin: Client, make: Make, wrong: dict[str, str], message: str):
    make("writing/resume")

    answer = admin.get("/admin/search/", {"q": "resume"} | wrong)

    assert answer.status_code == 400
    assert message in text_of(answer)
    if "q" not in wrong:
        [(_, address)] = answer.context["ways_out"]
        assert admin.get(f"/admin/search/{address}").status_code == 200


def test_an_embedder_out_of_reach_is_told(admin: Client, make: Make, monkeypatch):
    from vectors.errors import EmbedderError

    def fail(self: Embedder, text: str):
        raise EmbedderError("embedder", "an answer", "none", "Start it.")

    make("writing/resume")
    monkeypatch.setattr(Embedder, "embed_query", fail)

    answer = admin.get("/admin/search/?q=resume")

    assert answer.status_code == 503
    assert "expected an answer, got none. Start it." in text_of(answer)
    [(_, by_words)] = answer.context["ways_out"]
    assert admin.get(f"/admin/search/{by_words}").status_code == 200


def test_empty_pages_say_what_to_do_next(admin: Client, make: Make, aoi):
    assert "import_prompts" in text_of(admin.get("/admin/search/"))

    Prompt(user=aoi, name="a", title="a", content="resume").save(index=False)
    assert "embed_prompts" in text_of(admin.get("/admin/search/?q=resume"))

    make("b", "resume")
    assert "1 of 2 prompts changed" in text_of(admin.get("/admin/search/"))
    answer = admin.get("/admin/search/?q=resume&status=archived&tag=x&mode=keyword")
    kept = "?q=resume&amp;mode=keyword"
    for address in (kept, f"{kept}&amp;status=archived", f"{kept}&amp;tag=x", "?q=resume&amp;mode=semantic"):
        assert f'href="{address}' in text_of(answer)


def test_a_search_by_script_brings_the_piece_alone_with_the_same_status(admin: Client, make: Make):
    make("writing/resume")

    answer = admin.get("/admin/search/?q=resume&mode=hybrid&tag=&score=", headers={"HX-Request": "true"})
    page = text_of(answer)
    wrong = admin.get("/admin/search/?q=resume&score=1.1", headers={"HX-Request": "true"})
    restored = admin.get(
        "/admin/search/?q=resume", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )

    assert page.startswith("<title>resume · Search | AFN</title> <section")
    assert "Rewrite the <mark>resume</mark>." in page
    assert "HX-Request" in answer["Vary"]
    assert answer["HX-Push-Url"] == "/admin/search/?q=resume"
    assert wrong.status_code == 400
    assert "<strong>score</strong>: expected a number from 0 to 1, got 1.1." in text_of(wrong)
    assert text_of(restored).startswith("<!DOCTYPE html>")


def test_more_like_a_result_is_found_by_its_meaning_within_the_filters(admin: Client, make: Make):
    make("fox", "red fox in the snow", title="Fox <1>", tags=["a"])
    make("near", "red fox in the rain", tags=["a"])
    make("far", "quarterly tax return", tags=["a"])
    make("filtered", "red fox in the snow again", tags=["b"])

    page = admin.get("/admin/search/?q=fox&tag=a")
    [address] = {one.like for one in page.context["hits"] if one.prompt.name == "fox"}
    answer = admin.get("/admin/search/" + address)

    assert [hit.prompt.name for hit in answer.context["search"].results] == ["near", "far"]
    assert "Like: <b>Fox &lt;1&gt;</b>" in text_of(answer)
    assert answer.context["like"].address == "?tag=a"
    both = admin.get("/admin/search/" + address + "&q=tax").context["search"]
    assert both.mode == "hybrid"
    assert both.results[0].ranks["semantic"] is not None


@pytest.mark.parametrize("like", ["0" * 32, "near", "x\0", "'; DROP TABLE prompts; --"])
def test_like_what_is_not_there_is_an_error_in_place(admin: Client, make: Make, like: str):
    assert admin.get("/admin/search/", {"like": like}).status_code == 400  # there is no index at all
    make("near")

    answer = admin.get("/admin/search/", {"like": like})

    assert answer.status_code == 400
    assert "expected" in text_of(answer)


def test_looking_at_the_page_writes_nothing(admin: Client, django_assert_num_queries):
    from vectors.models import Collection

    admin.get("/admin/search/")

    assert not Collection.objects.exists()


def test_segments_rebuild_the_snippet():
    text = "Résumé: the resume of a RESUME, 要約 and <b>"
    found = snippet(text, "resume 要約")

    assert "".join(part for part, _ in segments(found)) == found.text
    assert [part for part, is_marked in segments(found) if is_marked] == ["resume", "RESUME", "要約"]


def test_the_number_of_queries_does_not_grow(admin: Client, make: Make, django_assert_num_queries):
    for number in range(12):
        prompt = make(f"writing/resume-{number}", tags=["a"])
        Evaluation.objects.create(prompt=prompt, version=prompt.versions.get(), score=0.5)
    admin.get("/admin/search/?q=resume")

    # Session, user, search, owners, labels, collection, judgements; then best scores.
    with django_assert_num_queries(7):
        admin.get("/admin/search/?q=resume")
    with django_assert_num_queries(8):
        admin.get("/admin/search/?q=resume&k=100&tag=a&score=0.1", headers={"HX-Request": "true"})


JUDGEMENT = "/admin/search/judgement/"


def test_a_click_judges_another_click_changes_and_the_same_takes_back(admin: Client, make: Make):
    prompt = make("writing/resume")

    def click(grade: str) -> str:
        form = {"address": "?q=resume+%26+letter", "key": prompt.pk, "grade": grade}
        return text_of(admin.post(JUDGEMENT, form, headers={"HX-Request": "true"}))

    assert 'data-key="1" aria-pressed="true"' in click("good")
    judgement = Judgement.objects.get()
    assert (judgement.query, judgement.key, judgement.grade) == ("resume & letter", prompt.pk, 2)
    assert (judgement.source, judgement.created_by, judgement.collection.name) == ("click", "aoi", "prompts")
    assert 'data-key="3" aria-pressed="true"' in click("no")
    assert Judgement.objects.get().grade == 0
    page = text_of(admin.get("/admin/search/", {"q": "resume & letter"}))
    assert 'data-key="3" aria-pressed="true"' in page
    assert 'aria-pressed="true"' not in text_of(admin.get("/admin/search/?q=resume"))
    assert 'aria-pressed="true"' not in click("no")
    assert not Judgement.objects.exists()


def test_without_scripts_a_click_leads_back_to_the_results(admin: Client, make: Make):
    form = {"address": "?q=resume&tag=a&evil=1", "key": make("a", tags=["a"]).pk, "grade": "partly"}

    answer = admin.post(JUDGEMENT, form)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/search/?q=resume&tag=a")
    assert Judgement.objects.get().grade == 1


def test_what_was_clicked_is_what_searches_are_measured_by(admin: Client, make: Make, capsys):
    wanted, other = make("writing/resume", "Rewrite the resume."), make("tax", "File the tax return.")
    for prompt, grade in ((wanted, "good"), (other, "no")):
        admin.post(JUDGEMENT, {"address": "?q=resume", "key": prompt.pk, "grade": grade})

    call_command("evaluate_search", "prompts")

    run = EvaluationRun.objects.get(mode="hybrid")
    assert (run.source, run.n) == ("judgements", 1)
    assert run.metrics["ndcg@10"]["mean"] == 1


def test_who_may_only_add_judgements_leaves_those_of_others_alone(
    admin: Client, staff: Callable[..., Client], make: Make
):
    form = {"address": "?q=resume", "key": make("a").pk, "grade": "good"}
    admin.post(JUDGEMENT, form)
    ben = staff("view_prompt", "add_judgement")

    page = text_of(ben.get("/admin/search/?q=resume"))

    assert "by aoi" in page
    assert 'aria-pressed="false" disabled' in page
    for grade in ("good", "no"):
        assert ben.post(JUDGEMENT, form | {"grade": grade}).status_code == 403
    assert ben.post(JUDGEMENT, form | {"address": "?q=letter"}).status_code == 302
    assert set(Judgement.objects.values_list("query", "created_by")) == {("resume", "aoi"), ("letter", "ben")}


def test_who_may_not_judge_sees_no_buttons_and_gets_nowhere(staff: Callable[..., Client], make: Make):
    ben = staff("view_prompt")
    form = {"address": "?q=resume", "key": make("a").pk, "grade": "good"}

    assert JUDGEMENT not in text_of(ben.get("/admin/search/?q=resume"))
    assert ben.post(JUDGEMENT, form).status_code == 403
    assert not Judgement.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"grade": "best"}, "grade"),
        ({"grade": ""}, "grade"),
        ({"key": "0" * 32}, "key"),
        ({"key": "a"}, "key"),
        ({"address": ""}, "query"),
        ({"address": "?q=" + "x" * 10_001}, "query"),
    ],
)
def test_a_wrong_judgement_is_refused(admin: Client, make: Make, wrong: dict[str, str], field: str):
    form = {"address": "?q=resume", "key": make("a").pk, "grade": "good"}

    answer = admin.post(JUDGEMENT, form | wrong, headers={"HX-Request": "true"})

    assert answer.status_code == 400
    assert f"<strong>{field}</strong>: expected" in text_of(answer)
    assert not Judgement.objects.exists()


def test_judging_needs_a_token_and_a_post(aoi: User, make: Make):
    client = Client(enforce_csrf_checks=True)
    client.force_login(aoi)

    assert (
        client.post(JUDGEMENT, {"address": "?q=a", "key": make("a").pk, "grade": "good"}).status_code == 403
    )
    assert client.get(JUDGEMENT).status_code == 405


def test_results_without_any_of_the_words_are_said_to_be_far(admin: Client, make: Make):
    make("writing/resume", "Rewrite the resume.")
    note = "No prompt has words of the query"
    assert note in text_of(admin.get("/admin/search/", {"q": "zzqqxx"}))
    assert note not in text_of(admin.get("/admin/search/", {"q": "resume"}))
    # Of a search by meaning the score would be the distance once more.
    assert "score <b>" in text_of(admin.get("/admin/search/", {"q": "resume"}))
    assert "score <b>" not in text_of(admin.get("/admin/search/", {"q": "resume", "mode": "semantic"}))
