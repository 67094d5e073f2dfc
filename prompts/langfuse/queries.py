"""Query strings: what is not known is refused, for a filter that is overlooked gives wrong results."""

from django.http import HttpRequest
from ninja import Schema

from ..errors import RegistryProblem


def refuse_unknown(request: HttpRequest, schema: type[Schema]) -> None:
    """Raises ``RegistryProblem`` where the request has a parameter that `schema` has not."""
    known = [field.alias or name for name, field in schema.model_fields.items()]
    if strange := [name for name in request.GET if name not in known]:
        raise RegistryProblem("query", f"parameters among {', '.join(known)}", repr(strange[0][:80]))
