from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_create_library")]
    operations = [
        migrations.RenameField("Book", "title", "name"),
        migrations.AddField("Book", "pages", models.IntegerField(default=0)),
        migrations.AlterField("Author", "name", models.CharField(max_length=200, db_index=True)),
    ]
