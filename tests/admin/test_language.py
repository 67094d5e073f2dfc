"""The console speaks the reader's language; the API speaks English, whoever asks."""

from django.test import Client
from django.utils import translation

from prompts.models import User


def test_it_is_the_browsers_until_one_chooses(aoi: User) -> None:
    japanese = Client(headers={"Accept-Language": "ja-JP,ja;q=0.9"})
    page = japanese.get("/admin/login/")
    assert page.headers["Content-Language"] == "ja"
    assert 'lang="ja"' in page.content.decode()

    chosen = japanese.post("/admin/language/", {"language": "en", "next": "/admin/login/"})

    assert chosen.headers["Location"] == "/admin/login/"
    assert 'lang="en"' in japanese.get("/admin/login/").content.decode()


def test_the_choice_leads_to_no_other_site(db: None) -> None:
    answer = Client().post("/admin/language/", {"language": "ja", "next": "https://elsewhere.example/"})
    assert answer.headers["Location"].startswith("/")


def test_the_api_stays_english_in_the_thread_of_a_japanese_page(aoi: User) -> None:
    client = Client(headers={"Accept-Language": "ja"})
    client.force_login(aoi)
    client.get("/admin/")

    answer = client.get("/api/v1/prompts?limit=no")

    assert translation.get_language() == "en"
    assert answer.status_code == 422 or answer.status_code == 400
    assert answer.content.decode().isascii()


def test_dates_are_of_the_language() -> None:
    from datetime import UTC, datetime

    from vectors.admin.display import short_time

    moment = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    with translation.override("en"):
        assert short_time(moment) == "2026-03-04 05:06"
    with translation.override("ja"):
        assert short_time(moment) == "2026/03/04 5:06"
