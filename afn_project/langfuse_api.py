"""Langfuse's public API: `/api/public`, described at `/api/public/openapi.json`."""

from django.http import HttpRequest, HttpResponse
from ninja.errors import AuthenticationError

import prompts.langfuse
from prompts.langfuse.schemas import ERRORS, ErrorOut

from . import api_errors
from .api_auth import ApiKeyPair
from .api_forms import form
from .api_json import StrictParser, Utf8Renderer
from .api_validation import Api

api = Api(
    title="AFN for clients of Langfuse",
    version="1",
    description=(
        "What the SDKs of Langfuse need to get prompts and send scores. Send an API key by HTTP Basic, its "
        'public part as user name. Every error is `{"message": …, "error": …}`.'
    ),
    urls_namespace="langfuse",
    docs_url=None,
    auth=ApiKeyPair(),
    parser=StrictParser(),
    renderer=Utf8Renderer(),
    error_form=ErrorOut,
    error_statuses=ERRORS,
)
api_errors.install(api)
api.add_router("", prompts.langfuse.router)


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    text = error.message
    if text == "Unauthorized":
        text = "Send an API key by HTTP Basic: its public part as user name, its secret as password."
    status, body = form(request.path, 401, text)
    response = api.create_response(request, body, status=status)
    response["WWW-Authenticate"] = 'Basic realm="AFN"'
    return response
