from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("library", "0001_create_library")]
    operations = [migrations.RunSQL("DROP TABLE vec_1_fts")]
