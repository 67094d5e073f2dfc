from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("library", "0001_create_library")]
    operations = [migrations.RunSQL("UPDATE prompts SET title = title || '!' WHERE rowid = 1")]
