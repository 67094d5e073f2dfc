"""How many tokens a text is, without any model's tokenizer: an estimate, to be shown with "about"."""

import math
import re
from typing import Final

# Chinese, Japanese and Korean letters, their punctuation and full-width forms.
_CJK: Final = re.compile(
    "[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_LATIN_PER_TOKEN: Final = 4


def estimate_tokens(text: str) -> int:
    """One token for each four characters, and one for each Chinese, Japanese or Korean one.

    Its error, measured on the bundled samples. Against o200k (GPT-4o) it is 6 to 26 % too high for English
    and 9 to 33 % for Japanese; against cl100k (GPT-4) the same for English, and 0 to 18 % too low for
    Japanese; against Llama 2 from 6 % too low to 15 % too high for English, 16 to 35 % too low for Japanese.
    """
    wide = len(_CJK.findall(text))
    return wide + math.ceil((len(text) - wide) / _LATIN_PER_TOKEN)
