"""The audit log in the console, to read and to search. It is only added to, by what it tells of."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from prompts.admin.logs import LogAdmin
from vectors.admin.calling import call

from . import pages
from .models import AuditEntry

call(
    AuditEntry, _("audit line"), _("audit log"), created_at=_("when"), action=_("action"),
    object_name=_("object"), object_type=_("kind"), object_id=_("object's id"), actor_name=_("who"),
    source=_("by way of"), address=_("address"), request_id=_("request's id"),
)  # fmt: skip


@admin.register(AuditEntry)
class AuditEntryAdmin(LogAdmin):
    fields = (
        "created_at", "action", "object_name", "object_type", "object_id", "actor_name", "source", "address",
        "request_id", "shown_changes",
    )  # fmt: skip
    readonly_fields = fields

    class Media:
        css: ClassVar = {"all": ["afn/audit.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A page of its own: Django's list would count the lines, and page by their number."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": gettext("Audit log"), "opts": self.opts}
        return TemplateResponse(request, "admin/ops/audit.html", context | pages.context(request))

    @display(description=_("Changes"))
    def shown_changes(self, entry: AuditEntry) -> SafeString:
        return render_to_string("admin/ops/audit_changes.html", {"changes": pages.changes_of(entry)})
