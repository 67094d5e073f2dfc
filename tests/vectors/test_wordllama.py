"""The embedder that comes with the product works offline, on any text, in little memory."""

import numpy as np
import pytest

from vectors.embedders import get_embedder
from vectors.errors import EmbedderError


@pytest.fixture(scope="module")
def wordllama():
    return get_embedder("wordllama")


def cosine(a, b) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_it_puts_like_with_like(wordllama):
    cat, kitten, tax = wordllama.embed(["a cat sleeps", "a kitten is napping", "income tax return form"])
    assert cosine(cat, kitten) > cosine(cat, tax) + 0.2


def test_the_shape_is_right_even_for_nothing(wordllama):
    assert wordllama.embed([]).shape == (0, 256)
    assert wordllama.embed(["a", "b"]).shape == (2, 256)
    assert wordllama.embed(["a"]).dtype == np.float32
    assert wordllama.embed_query("a").shape == (256,)


def test_case_does_not_count(wordllama):
    assert np.array_equal(wordllama.embed_query("Hello World"), wordllama.embed_query("hello world"))


def test_a_text_embeds_alike_alone_and_in_a_batch(wordllama):
    texts = ["one", "two " * 5_000, "三", "four " * 60_000, "five"]
    together = wordllama.embed(texts)
    for text, row in zip(texts, together, strict=True):
        assert np.allclose(wordllama.embed_query(text), row, atol=1e-5)


def test_it_agrees_with_the_packages_own_pooling(wordllama):
    text = "the quick brown fox jumps over the lazy dog"
    assert np.allclose(wordllama.embed_query(text), wordllama._load().embed([text])[0], atol=1e-5)


def test_a_long_text_is_embedded_whole(wordllama):
    words = " ".join(f"word{n}" for n in range(20_000))
    whole = wordllama.embed_query(words + " zebra" * 20_000)
    assert cosine(whole, wordllama.embed_query("zebra")) > cosine(
        wordllama.embed_query(words), wordllama.embed_query("zebra")
    )


@pytest.mark.parametrize("text", ["\n", "🦊", "\u200b", "ﷺ", "x" * 50_000, "漢" * 50_000])
def test_it_takes_any_text(wordllama, text):
    assert np.isfinite(wordllama.embed_query(text)).all()


@pytest.mark.parametrize(
    ("options", "field"), [({"model": "other"}, "model"), ({"dimensions": 64}, "dimensions")]
)
def test_it_refuses_what_it_does_not_have(options, field):
    with pytest.raises(EmbedderError) as caught:
        get_embedder("wordllama", **options)
    assert caught.value.field == field


def test_a_missing_optional_package_is_named():
    with pytest.raises(EmbedderError, match="pip install sentence-transformers"):
        get_embedder("sentence-transformers")
