"""Every kind of damage is found, named and mended."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.vectors.clouds import DIMENSIONS, add, cloud, collect, keys, near, state
from vectors import store, strategies
from vectors.index.codes import Codes
from vectors.index.training import rebuild
from vectors.models import Collection, Index
from vectors.rows import execute
from vectors.search import search
from vectors.upkeep.verifying import Report, repair, verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh():
    strategies.forget()


@pytest.fixture
def sound() -> Collection:
    """A collection with lists, with rows after them, deleted ones and changed ones."""
    collection = collect(cloud(2_000))
    rebuild(collection, lists=20)
    store.delete(collection, [f"k{at}" for at in range(20)])
    add(collection, cloud(300, seed=2), 5_000)
    add(collection, cloud(10, seed=3), 30)
    return collection


def damage(collection: Collection, sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("vec_N", f"vec_{collection.pk}"), params)
    strategies.forget()


def checks(report: Report) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in report.findings:
        counts[finding.check] = counts.get(finding.check, 0) + finding.count
    return counts


def test_a_sound_collection_is_sound(sound):
    report = verify(sound)
    assert report.findings == []
    assert (report.rows, report.codes, report.listed) == (2_280, 2_310, 4_000)
    assert report.asked == report.found == 100


@pytest.mark.parametrize("rows", [0, 1, 500])
@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_small_ones_are_sound_too(rows, metric):
    report = verify(collect(cloud(rows), metric=metric))
    assert report.findings == []
    assert report.rows == rows


def code_of(collection: Collection, change) -> tuple[int, bytes]:
    """The first block with its codes changed."""
    row = execute("default", (f"SELECT rowid, codes FROM vec_{collection.pk}_blocks ORDER BY last_id", []))[0]
    codes = Codes.from_blob(row[1], DIMENSIONS)
    return row[0], change(codes).to_blob()


def flipped(codes: Codes) -> Codes:
    words = codes.words.copy()
    words[0, 100] ^= np.uint64(0xFFFF)
    return Codes(codes.ids, words, codes.squares, codes.scales)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("codes flipped", {"codes": 1, "lists": 2}),
        ("codes lacking", None),
        ("block gone", None),
        ("block cut", None),
        ("count wrong", {"codes": 1}),
        ("last id wrong", None),
        ("list gone", None),
        ("centroids gone", {"lists": 1}),
        ("leftovers", {"leftovers": 3}),
        ("orphan vector", {"vectors": 1}),
        ("orphan text", {"text": 1}),
        ("text gone", {"text": 1}),
    ],
)
def test_damage_to_what_can_be_computed_is_found_and_mended(sound, name, found):
    version = state(sound).version
    if name == "codes flipped":
        rowid, blob = code_of(sound, flipped)
        damage(sound, "UPDATE vec_N_blocks SET codes = %s WHERE rowid = %s", blob, rowid)
    elif name == "codes lacking":
        rowid, blob = code_of(sound, lambda codes: codes[np.arange(len(codes)) != 50])
        damage(sound, "UPDATE vec_N_blocks SET codes = %s WHERE rowid = %s", blob, rowid)
    elif name == "block gone":
        damage(sound, "DELETE FROM vec_N_blocks WHERE rowid = (SELECT min(rowid) FROM vec_N_blocks)")
    elif name == "block cut":
        damage(sound, "UPDATE vec_N_blocks SET codes = substr(codes, 1, 1000)")
    elif name == "count wrong":
        Index.objects.update(rows=7)
    elif name == "last id wrong":
        Index.objects.update(last_id=9_999)
    elif name == "list gone":
        damage(sound, "DELETE FROM vec_N_lists WHERE list = 3")
    elif name == "centroids gone":
        damage(sound, "DELETE FROM vec_N_centroids")
    elif name == "leftovers":
        for table, columns in (("blocks", "last_id, codes"), ("centroids", "first, vectors")):
            damage(sound, f"INSERT INTO vec_N_{table} (version, {columns}) VALUES (1, 2, x'00')")
        damage(sound, "INSERT INTO vec_N_lists (version, list, part, codes) VALUES (1, 2, 0, x'00')")
    elif name == "orphan vector":
        blob = cloud(1)[0].tobytes()
        damage(sound, "INSERT INTO vec_N_vectors (id, embedding) VALUES (100000, %s)", blob)
        damage(sound, "DELETE FROM vec_N_vectors WHERE id = 100001")
    elif name == "orphan text":
        damage(sound, "INSERT INTO vec_N_fts (rowid, title, body) VALUES (100000, 'a', 'b')")
    elif name == "text gone":
        damage(sound, "DELETE FROM vec_N_fts WHERE rowid = 77")
    report = verify(sound)
    assert not report.is_sound
    if found is not None:
        assert checks(report) == found
    mended = repair(sound, report)
    assert mended.findings == []
    assert {one.check for one in mended.repaired} == {one.check for one in report.findings}
    assert state(sound).lists == 20
    matrix = cloud(300, seed=2)
    assert [keys(near(sound, row, k=1)) for row in matrix[::50]] == [
        [f"k{5_000 + at}"] for at in range(0, 300, 50)
    ]
    assert (state(sound).version == version) == (
        name in ("leftovers", "orphan vector", "orphan text", "text gone")
    )


def test_search_stays_right_while_codes_are_missing(sound):
    damage(sound, "DELETE FROM vec_N_blocks WHERE rowid = (SELECT min(rowid) FROM vec_N_blocks)")
    for _ in range(2):
        found = near(sound, cloud(2_000)[500], strategy="quantised")
        assert keys(found)[0] == "k500"
    assert found.plan["strategy"] == "exact"


@pytest.mark.parametrize(
    "name", ["vector gone", "vector zero", "vector nan", "text changed", "vector changed"]
)
def test_content_that_does_not_fit_is_embedded_anew(fill, name):
    collection = fill(*(f"word{at} and more" for at in range(40)))
    if name == "vector gone":
        damage(collection, "DELETE FROM vec_N_vectors WHERE id = 8")
    elif name == "vector zero":
        damage(collection, "UPDATE vec_N_vectors SET embedding = %s WHERE id = 8", bytes(4 * 64))
    elif name == "vector nan":
        damage(collection, "UPDATE vec_N_vectors SET embedding = %s WHERE id = 8", b"\xff" * (4 * 64))
    elif name == "text changed":
        damage(collection, "UPDATE vec_N_items SET text = 'word7 and less' WHERE id = 8")
    else:
        collection.embedder = "fake"
        damage(collection, "UPDATE vec_N_items SET content_hash = 'x' WHERE id = 8")
    report = verify(collection)
    assert checks(report).keys() <= {"embeddings", "hashes", "search", "vectors"}
    assert checks(report)
    mended = repair(collection, report)
    assert mended.findings == []
    assert mended.rows == 40
    hit = search(collection, "word7", k=1).hits[0]
    assert (hit.key, hit.text) == ("k7", "word7 and less" if name == "text changed" else "word7 and more")


def test_what_only_its_owner_has_is_reported_and_kept():
    collection = collect(cloud(1_200))
    damage(collection, "DELETE FROM vec_N_vectors WHERE id = 8")
    report = repair(collection, verify(collection))
    assert checks(report) == {"embeddings": 1}
    assert report.findings[0].examples == ("k7",)
    assert report.findings[0].remedy == "import these items again, after a repair"
    assert store.get(collection, "k7") is not None


def test_the_command_reports_and_mends(sound, capsys):
    call_command("verify_vectors", "cloud")
    assert (
        "2,280 rows, 2,310 codes, 4,000 in lists; 100 of 100 rows found themselves" in capsys.readouterr().out
    )
    damage(sound, "DELETE FROM vec_N_fts WHERE rowid = 77")
    with pytest.raises(CommandError, match=r"1 faults in 'cloud'. Run it again with --repair"):
        call_command("verify_vectors", "cloud")
    assert (
        "1 items that full text does not know (77); with --repair their text is indexed"
        in capsys.readouterr().out
    )
    call_command("verify_vectors", "cloud", "--repair", "--json")
    result = json.loads(capsys.readouterr().out)
    assert result["sound"]
    assert [one["check"] for one in result["repaired"]] == ["text"]
