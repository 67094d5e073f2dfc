"""Moments of old databases, made what those of new ones are, for the migrations of each app that has some."""

from django.db import models


def lengthen(apps, schema_editor, app_label):
    """Moments that the database gave have three digits of a second, all others six or none.

    They are compared as texts, of which the one with three is less than the same moment with six.
    """
    with schema_editor.connection.cursor() as cursor:
        for model in apps.get_app_config(app_label).get_models():
            for field in model._meta.local_fields:
                if isinstance(field, models.DateTimeField):
                    table, column = map(schema_editor.quote_name, (model._meta.db_table, field.column))
                    cursor.execute(
                        f"UPDATE {table} SET {column} = replace({column} || '000', '.000000', '') "
                        f"WHERE length({column}) = 23"
                    )


def rebuild(apps, schema_editor, app_label):
    """Tables say what plain SQL gets where it leaves a moment out: they are made anew with what Now() is.

    Django has no operation for that, for the models are as they were.
    """
    for model in apps.get_app_config(app_label).get_models():
        fields = model._meta.local_fields
        if any(isinstance(field, models.DateTimeField) and field.has_db_default() for field in fields):
            schema_editor._remake_table(model)
