"""The estimate of tokens, and that it is as near to a real tokenizer as it says."""

import json
from pathlib import Path

import pytest
import wordllama
from tokenizers import Tokenizer

from prompts.tokens import estimate_tokens

SAMPLES = Path(__file__).parents[2] / "prompts/samples/prompts.jsonl"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("Keep it short.", 4), ("履歴書を要約", 6), ("AFN は、速い。", 6), ("😀", 1)],
)
def test_four_latin_characters_or_one_of_chinese_and_japanese_are_a_token(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize(("language", "least", "most"), [("en", 0.93, 1.16), ("ja", 0.64, 0.85)])
def test_against_a_real_tokenizer_it_is_within_what_it_promises(
    language: str, least: float, most: float
) -> None:
    """That of Llama 2, which comes with the embedder."""
    folder = Path(wordllama.__file__).parent / "tokenizers"
    tokenizer = Tokenizer.from_file(str(folder / "l2_supercat_tokenizer_config.json"))
    tokenizer.no_truncation()
    rows = map(json.loads, SAMPLES.read_text(encoding="utf-8").splitlines())
    texts = [row["content"] for row in rows if row["language"] == language]
    ratios = [
        estimate_tokens(text) / len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts
    ]
    assert len(texts) > 30
    assert least <= min(ratios)
    assert max(ratios) <= most
