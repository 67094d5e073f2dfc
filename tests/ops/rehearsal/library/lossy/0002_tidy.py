from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("library", "0001_create_library")]
    operations = [
        migrations.RunSQL("DELETE FROM library_books WHERE id = 5"),
        migrations.RunSQL("UPDATE library_authors SET name = upper(name)"),
    ]
