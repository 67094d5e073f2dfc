from django.db import models


class Environment(models.Model):
    """Stands for an environment where Django asks for a model: permissions, the log of the console.

    It has no table: the provider knows what environments there are.
    """

    name = models.CharField(max_length=63, primary_key=True)

    class Meta:
        managed = False

    def __str__(self) -> str:
        return self.name
