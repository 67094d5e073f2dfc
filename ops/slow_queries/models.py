from typing import Final

from django.db import models

MAX_SQL: Final = 10_000
MAX_PLAN: Final = 10_000
MAX_TEXT: Final = 200


class SlowQuery(models.Model):
    """One statement that took longer than AFN_SLOW_QUERY_SECONDS."""

    created_at = models.DateTimeField(db_index=True)
    fingerprint = models.CharField(
        max_length=16, help_text="The same for the same statement, whatever its values."
    )
    sql = models.TextField("SQL", help_text="With ? in place of values.")
    seconds = models.FloatField()
    rows = models.BigIntegerField(null=True, help_text="Read or changed, where that is known.")
    plan = models.TextField(blank=True, help_text="EXPLAIN QUERY PLAN with NULL in place of values.")
    place = models.CharField(max_length=MAX_TEXT, blank=True, help_text="The request, task or command.")
    caller = models.CharField(max_length=MAX_TEXT, blank=True, help_text="The line of AFN that asked.")
    request_id = models.CharField(max_length=64, blank=True)
    database = models.CharField(max_length=100, help_text="Alias; environment:… is another environment.")
    error = models.CharField(max_length=64, blank=True, help_text="Kind of error, where it failed.")

    class Meta:
        db_table = "slow_queries"
        verbose_name_plural = "slow queries"
        default_permissions = ("view",)
        ordering = ["-id"]
        indexes = [models.Index(fields=["fingerprint", "-id"], name="slow_queries_of_a_statement")]

    def __str__(self) -> str:
        return f"{self.fingerprint} in {self.seconds:.2f} s"
