"""REST over prompts and what belongs to them.

A prompt is named by its id or its name; slashes of a name stay as they are or are sent as ``%2F``. So paths
that go on after it are matched first, and a prompt whose name ends like one of them is named by its id, or
read below `/prompts/by-name/`.
"""

from ninja import Router

from . import (
    comparing,
    datasets,
    evaluations,
    exchange,
    keys,
    labels,
    policies,
    prompts,
    rendering,
    runs,
    searching,
    splits,
    trash,
    versions,
)

router = Router()
router.add_router("", prompts.by_name)
for part in (
    keys,
    exchange,
    trash,
    policies,
    searching,
    datasets,
    runs,
    versions,
    comparing,
    rendering,
    splits,
    labels,
    evaluations,
    prompts,
):
    router.add_router("", part.router)
