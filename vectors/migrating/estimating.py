"""What embedding a collection anew would cost, before anything is done."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from vectors.codec import as_matrix
from vectors.embedders import Embedder
from vectors.fulltext import count_cjk
from vectors.items import text_to_embed
from vectors.migrating import sql
from vectors.migrating.filling import BATCH
from vectors.models import Collection
from vectors.rows import execute
from vectors.sql import Tables

# Rows that say how much of the text is Japanese, Chinese or Korean, and those embedded for the speed.
_READ: Final = 500
_EMBEDDED: Final = 50
# Characters a token, as a rule of thumb for the tokenizers of embedding models.
_CHARACTERS_A_TOKEN: Final = 4.0
_CJK_CHARACTERS_A_TOKEN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """`rows` to embed with their `characters`; `tokens` by script, "cjk" and "other", approximately.

    `seconds` at the speed of a sample and the rate that was asked for; `price` where one was given.
    """

    rows: int
    characters: int
    tokens: dict[str, int]
    batches: int
    seconds: float
    price: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def estimate(
    source: Collection,
    target: Collection | None,
    embedder: Embedder,
    alias: str,
    *,
    batch: int = BATCH,
    rate: float | None = None,
    price: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Estimate:
    """Of what `target` lacks of `source`, or of all its rows. Embeds up to 50 texts. Raises EmbedderError.

    `price` is for a million tokens, `rate` in texts a second.
    """
    into = Tables.of(target) if target else None
    rows, characters = map(int, execute(alias, sql.size_lacking(Tables.of(source), into))[0])
    sample = [
        text_to_embed(title, text) for _, title, text in execute(alias, sql.sample(Tables.of(source), _READ))
    ]
    cjk = characters * sum(map(count_cjk, sample)) / max(1, sum(map(len, sample)))
    tokens = {
        "other": math.ceil((characters - cjk) / _CHARACTERS_A_TOKEN),
        "cjk": math.ceil(cjk / _CJK_CHARACTERS_A_TOKEN),
    }
    timed = sample[:_EMBEDDED] if rows else []
    # A service takes its time by texts, a model in this process by their length.
    share = max(rows / max(1, len(timed)), characters / max(1, sum(map(len, timed))))
    seconds = share * _seconds_for(timed, source, embedder, clock)
    return Estimate(
        rows=rows,
        characters=characters,
        tokens=tokens,
        batches=math.ceil(rows / batch),
        seconds=round(max(seconds, rows / rate if rate else 0.0), 1),
        price=None if price is None else round(sum(tokens.values()) / 1e6 * price, 4),
    )


def _seconds_for(
    texts: list[str], source: Collection, embedder: Embedder, clock: Callable[[], float]
) -> float:
    if not texts:
        return 0.0
    as_matrix(embedder.embed(texts[:1]), embedder.dimensions, source.metric)  # a model may have to be loaded
    started = clock()
    embedder.embed(texts)
    return clock() - started
