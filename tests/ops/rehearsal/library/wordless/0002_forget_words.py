from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("library", "0001_create_library")]
    operations = [migrations.RunSQL("DELETE FROM vec_1_fts WHERE rowid <= 3")]
