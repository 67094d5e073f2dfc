"""Names and help texts of many fields at once: the database knows nothing of them."""

from typing import Any

from django.db.migrations.operations import SeparateDatabaseAndState


class NameFields(SeparateDatabaseAndState):
    """Changes what migrations know of models, and nothing else.

    One operation a field would make the models anew after each of them, which takes seconds; so they are made
    once, when a later migration asks for them.
    """

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)
