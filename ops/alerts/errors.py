"""What alerts refuse: each names the field, what was expected and what came."""

from prompts.errors import RegistryProblem


class AlertProblem(RegistryProblem):
    """A rule, channel or silence cannot be as it was asked to be."""
