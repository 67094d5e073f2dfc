from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_SQL: Final = 10_000
MAX_PLAN: Final = 10_000
MAX_TEXT: Final = 200


class SlowQuery(models.Model):
    """One statement that took longer than AFN_SLOW_QUERY_SECONDS."""

    created_at = models.DateTimeField(_("created at"), db_index=True)
    fingerprint = models.CharField(
        _("fingerprint"), max_length=16, help_text=_("The same for the same statement, whatever its values.")
    )
    sql = models.TextField(_("SQL"), help_text=_("With ? in place of values."))
    seconds = models.FloatField(_("seconds"))
    rows = models.BigIntegerField(_("rows"), null=True, help_text=_("Read or changed, where that is known."))
    plan = models.TextField(
        _("plan"), blank=True, help_text=_("EXPLAIN QUERY PLAN with NULL in place of values.")
    )
    place = models.CharField(
        _("place"), max_length=MAX_TEXT, blank=True, help_text=_("The request, task or command.")
    )
    caller = models.CharField(
        _("caller"), max_length=MAX_TEXT, blank=True, help_text=_("The line of AFN that asked.")
    )
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    database = models.CharField(
        _("database"), max_length=100, help_text=_("Alias; environment:… is another environment.")
    )
    error = models.CharField(
        _("error"), max_length=64, blank=True, help_text=_("Kind of error, where it failed.")
    )

    class Meta:
        db_table = "slow_queries"
        verbose_name = _("slow query")
        verbose_name_plural = _("slow queries")
        default_permissions = ("view",)
        ordering = ["-id"]
        indexes = [models.Index(fields=["fingerprint", "-id"], name="slow_queries_of_a_statement")]

    def __str__(self) -> str:
        return f"{self.fingerprint} in {self.seconds:.2f} s"
