from django.db import connections, migrations


def change_the_live_one(apps, editor):
    """As if somebody did so while this is rehearsed."""
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE library_authors ADD COLUMN sneaked")


class Migration(migrations.Migration):
    dependencies = [("library", "0001_create_library")]
    operations = [migrations.RunPython(change_the_live_one)]
