"""The REST API: `/api/v1`, described at `/api/v1/docs`."""

from ninja.openapi.docs import Swagger

import ops.alerts.api
import ops.api
import ops.audit.api
import ops.jobs.api
import ops.realtime.api
import ops.slow_queries.api
import ops.webhooks.api
import prompts.api
import vectors.api
import vectors.relevance.api
from vectors.schemas import ERRORS, ErrorOut

from . import api_errors
from .api_auth import AUTH
from .api_json import StrictParser, Utf8Renderer
from .api_validation import Api

api = Api(
    title="AFN",
    version="1",
    description=(
        "A prompt registry with semantic search. Send an API key as `Authorization: Bearer <secret>`, or as "
        'HTTP Basic with its public part as user name. Every error is `{"detail": …}`: a text, or a list '
        'of `{"field", "msg"}`.'
    ),
    urls_namespace="api-v1",
    # The page is served from this site alone; the validator would be a foreign host.
    docs=Swagger(settings={"validatorUrl": None}),
    auth=AUTH,
    parser=StrictParser(),
    renderer=Utf8Renderer(),
    error_form=ErrorOut,
    error_statuses=ERRORS,
)
api_errors.install(api)
api.add_router("", prompts.api.router)
api.add_router("/vectors", vectors.api.router)
api.add_router("/vectors", vectors.relevance.api.router)
api.add_router("/environments", ops.api.router)
api.add_router("", ops.webhooks.api.router)
api.add_router("", ops.alerts.api.router)
api.add_router("", ops.audit.api.router)
api.add_router("", ops.jobs.api.router)
api.add_router("", ops.realtime.api.router)
api.add_router("", ops.slow_queries.api.router)
