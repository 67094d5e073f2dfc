"""Deletions that hurt are confirmed by typing the name of what goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpResponseRedirect
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.http import HttpRequest

    Base = Any
else:
    Base = object

FIELD = "typed_name"


def is_typed(request: HttpRequest, name: str) -> bool:
    """Whether the form has that name in it, but for spaces around it."""
    return request.POST.get(FIELD, "").strip() == name.strip()


class TypedDeletion(Base):
    """For a ``ModelAdmin``, before it among the bases. One row at a time: nobody reads a list of names."""

    delete_confirmation_template: Any = "admin/typed_deletion.html"

    def name_to_type(self, obj: Any) -> str:
        return str(obj)

    def warning_of_deletion(self, obj: Any) -> str:
        """What to say above the box; what may be done instead."""
        return ""

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_delete_permission(request, obj):
            return super().delete_view(request, object_id, extra_context)  # which says so
        name = self.name_to_type(obj)
        if request.method == "POST" and not is_typed(request, name):
            self.message_user(
                request,
                _("Nothing was deleted: type “%(name)s” into the box to confirm.") % {"name": name},
                messages.ERROR,
            )
            return HttpResponseRedirect(request.get_full_path())
        context = {"name_to_type": name, "warning_of_deletion": self.warning_of_deletion(obj)}
        return super().delete_view(request, object_id, context | (extra_context or {}))
