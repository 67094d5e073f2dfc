"""For lists of the console that are empty."""

from typing import Any

from django import template
from django.urls import reverse

register = template.Library()


@register.simple_tag(takes_context=True)
def next_step(context: Any, model_admin: Any) -> dict[str, Any] | None:
    """Where to go on, which an admin names as ``empty_link = (title, URL name, rights…)``; for who may."""
    link = getattr(model_admin, "empty_link", None)
    if link is None:
        return None
    title, url_name, *permissions = link
    return {"title": title, "url": reverse(url_name)} if context.request.user.has_perms(permissions) else None
