"""What backups tell whoever listens."""

from django.dispatch import Signal

# Sent with `name`, `environment` and `size` in bytes, once the file is where backups are.
made = Signal()
