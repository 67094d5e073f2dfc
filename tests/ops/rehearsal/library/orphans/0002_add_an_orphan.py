from django.db import migrations


def add_an_orphan(apps, editor):
    with editor.connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("INSERT INTO library_books (title, author_id) VALUES ('Alone', 999)")
        cursor.execute("PRAGMA foreign_keys = ON")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("library", "0001_create_library")]
    operations = [migrations.RunPython(add_an_orphan)]
