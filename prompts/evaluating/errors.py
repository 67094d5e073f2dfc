"""What can go wrong with a model that is asked."""


class ModelFailed(Exception):
    """A model did not answer, or not as it should. The text is for users and holds no secret; ``cost`` is
    what the answers that came cost nevertheless.
    """

    def __init__(self, text: str, cost: float = 0.0) -> None:
        super().__init__(text)
        self.cost = cost


class NotConfigured(ModelFailed):
    """There is no service to ask, or nothing is known of its prices."""
