"""What can be wrong with secrets in files: each message says what to do, and none quotes content."""

from django.core.exceptions import ImproperlyConfigured


class SecretProblem(ImproperlyConfigured):
    """Stops a start or a command with one line."""


class Missing(SecretProblem):
    """There is no such file."""


class WrongKey(SecretProblem):
    """The file was encrypted with another key, or the part that tells so was changed."""
