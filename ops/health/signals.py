"""What the looks at health tell whoever listens."""

from django.dispatch import Signal

# Sent with `health` by the thread that looks (`ops.health.watching`), also of what another process has found.
# Who listens holds it up, and must not ask the database, which may hang.
looked = Signal()
