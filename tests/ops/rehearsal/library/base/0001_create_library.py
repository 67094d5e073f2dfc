from django.db import migrations, models


def add_books(apps, editor):
    Author, Book = apps.get_model("library", "Author"), apps.get_model("library", "Book")
    for number in range(3):
        author = Author.objects.using(editor.connection.alias).create(name=f"Author {number}")
        for volume in range(4):
            Book.objects.using(editor.connection.alias).create(title=f"Volume {volume}", author=author)


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Author",
            [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=100))],
            {"db_table": "library_authors"},
        ),
        migrations.CreateModel(
            "Book",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=100)),
                ("author", models.ForeignKey("library.Author", on_delete=models.CASCADE)),
            ],
            {"db_table": "library_books"},
        ),
        migrations.RunPython(add_books, migrations.RunPython.noop),
    ]
