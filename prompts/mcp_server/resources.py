"""A prompt as a resource: `afn://prompts/{name}`, the name percent-encoded."""

from urllib.parse import unquote

from mcp.types import ReadResourceResult, TextResourceContents

from ..errors import NotThere
from . import finding
from .listing import TEMPLATE, URI, mime_type


def read(uri: str) -> ReadResourceResult:
    """The newest version as it is written, of a chat its messages as JSON. Raises ``NotThere``."""
    if not uri.startswith(URI) or len(uri) == len(URI):
        raise NotThere("uri", f"an address such as {TEMPLATE}", repr(uri[:100]))
    served = finding.find(unquote(uri.removeprefix(URI), errors="replace"))
    text = served.compose().template.content
    return ReadResourceResult(
        contents=[TextResourceContents(uri=uri, mime_type=mime_type(served), text=text)]
    )
