"""Who may import: histories come with labels, their log and evaluations, of whoever a line names."""

from typing import Final

from ..models import User
from ..ownership import CHANGE_OTHERS

IMPORTING: Final = (
    CHANGE_OTHERS,
    "prompts.add_prompt",
    "prompts.change_prompt",
    "prompts.change_promptlabel",
    "prompts.move_protected_label",
    "prompts.add_evaluation",
)


def missing_right(user: User) -> str:
    """The first permission that the user lacks to import; empty where none is."""
    return next((one for one in IMPORTING if not user.has_perm(one)), "")
