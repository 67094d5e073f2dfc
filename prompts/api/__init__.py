"""REST over prompts and what belongs to them.

A prompt is named by its id or its name; slashes of a name stay as they are or are sent as ``%2F``. So paths
that go on after it are matched first, and a prompt whose name ends like one of them is named by its id.
"""

from ninja import Router

from . import comparing, evaluations, labels, policies, prompts, rendering, searching, trash, versions

router = Router(tags=["prompts"])
for part in (trash, policies, searching, versions, comparing, rendering, labels, evaluations, prompts):
    router.add_router("", part.router)
