"""Tables that the migrations of the rehearsals change."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        db_table = "library_authors"

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=100)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)

    class Meta:
        db_table = "library_books"

    def __str__(self) -> str:
        return self.title
