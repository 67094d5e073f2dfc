"""What can go wrong with a model that is asked."""


class ModelFailed(Exception):
    """A model did not answer, or not as it should. The text is for users and holds no secret."""


class NotConfigured(ModelFailed):
    """There is no service to ask, or nothing is known of its prices."""
