"""Tables for expressions to work on; made by the fixtures, never migrated."""

from django.db import models


class Moment(models.Model):
    """Every temporal type twice, and the numbers durations are multiplied with."""

    dt = models.DateTimeField(null=True)
    dt2 = models.DateTimeField(null=True)
    d = models.DateField(null=True)
    d2 = models.DateField(null=True)
    t = models.TimeField(null=True)
    t2 = models.TimeField(null=True)
    dur = models.DurationField(null=True)
    dur2 = models.DurationField(null=True)
    n = models.IntegerField(null=True)
    x = models.FloatField(null=True)

    class Meta:
        app_label = "differential"

    def __str__(self) -> str:
        return f"Moment {self.pk}"


class Text(models.Model):
    """A text, a shorter one to look for in it, and small numbers for lengths and positions."""

    s = models.TextField(null=True)  # noqa: DJ001 - NULL is one of the inputs
    part = models.TextField(null=True)  # noqa: DJ001
    n = models.IntegerField(null=True)

    class Meta:
        app_label = "differential"

    def __str__(self) -> str:
        return f"Text {self.pk}"


class Number(models.Model):
    """Whole and floating numbers of every size, in groups of 0, 1, 2 and more for aggregates."""

    group = models.IntegerField()
    i = models.BigIntegerField(null=True)
    j = models.BigIntegerField(null=True)
    small = models.IntegerField(null=True)
    x = models.FloatField(null=True)
    y = models.FloatField(null=True)
    dec = models.DecimalField(max_digits=12, decimal_places=3, null=True)

    class Meta:
        app_label = "differential"

    def __str__(self) -> str:
        return f"Number {self.pk}"


MODELS = (Moment, Text, Number)
