"""Langfuse's public API over AFN's prompts, as far as its clients need it to get prompts and send scores.

Clients are the official SDKs, unmodified. What they expect is theirs to say: names and forms here are
Langfuse's, and what happens behind them is AFN's.
"""

from ninja import Router

from . import project_api, prompt_api, score_api

router = Router()
for part in (project_api, prompt_api, score_api):
    router.add_router("", part.router)
