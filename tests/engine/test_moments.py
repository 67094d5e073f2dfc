"""Moments that the database gives are the texts that Django writes: compared as texts, they are equal."""

import re

import pytest
from django.db import connections
from django.db.models.functions import Now
from django.test import override_settings

from .differential.models import Moment


@pytest.fixture
def table(alias: str) -> str:
    with connections[alias].schema_editor() as editor:
        editor.create_model(Moment)
    return alias


@override_settings(USE_TZ=True, TIME_ZONE="UTC")
def test_a_moment_of_the_database_finds_itself(table: str) -> None:
    moments = Moment.objects.using(table)
    for _ in range(20):
        moments.create(dt=Now())
    for row in moments.all():
        for lookup in ("dt", "dt__gte", "dt__lte", "dt__in"):
            value = [row.dt] if lookup == "dt__in" else row.dt
            assert moments.filter(pk=row.pk, **{lookup: value}).exists(), (lookup, row.dt)
        assert not moments.filter(pk=row.pk, dt__lt=row.dt).exists()
    assert moments.filter(dt__lte=Now()).count() == 20
    moments.update(dt2=Now())
    with connections[table].cursor() as cursor:
        cursor.execute(
            f"SELECT dt FROM {Moment._meta.db_table} UNION SELECT dt2 FROM {Moment._meta.db_table}"
        )
        texts = [text for (text,) in cursor.fetchall()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.(?!000000)\d{3}000)?", one) for one in texts)
