import os
import signal
from pathlib import Path

from django.db import migrations


def wait(apps, editor):
    Path(os.environ["LIBRARY_WAITS"]).touch()
    signal.pause()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("library", "0001_create_library")]
    operations = [migrations.RunSQL("UPDATE library_authors SET name = 'slow'"), migrations.RunPython(wait)]
