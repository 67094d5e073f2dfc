"""The console's font has all icons that its pages name."""

from fontTools.ttLib import TTFont

from tests import icons


def test_every_icon_in_use_is_in_the_font() -> None:
    there, whole = icons.ligatures(TTFont(icons.OWN)), icons.ligatures(TTFont(icons.WHOLE))
    wanted = icons.named(whole)

    assert {"search", "home", "monitor_heart", "close"} <= wanted
    assert sorted(wanted - set(there)) == [], "run `make icons`"
    assert icons.OWN.stat().st_size < icons.WHOLE.stat().st_size / 4


def test_the_site_serves_it(db, client) -> None:  # type: ignore[no-untyped-def]
    answer = client.get("/static/unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2")

    assert answer.getvalue() == icons.OWN.read_bytes()
    answer.close()
