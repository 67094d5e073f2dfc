"""What webhooks refuse to do: each names the field, what was expected and what came."""

from prompts.errors import RegistryProblem


class WebhookProblem(RegistryProblem):
    """A webhook cannot be as it was asked to be."""


class Unsealable(Exception):
    """What was sealed cannot be read: SECRET_KEY is another one now."""
