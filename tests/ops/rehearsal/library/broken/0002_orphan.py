from django.db import migrations


class Migration(migrations.Migration):
    # Not in one transaction, so that what it did before it fails stays there.
    atomic = False
    dependencies = [("library", "0001_create_library")]
    operations = [
        migrations.RunSQL("UPDATE library_authors SET name = 'half done'"),
        migrations.RunSQL("SELECT no_such_function()"),
    ]
