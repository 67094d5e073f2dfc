"""Whose a prompt is, and what that means: only its owner changes it, and who may change those of others."""

from typing import Final, Protocol

from .errors import NotThere, Protected
from .models import Prompt, TraceScore, User

CHANGE_OTHERS: Final = "prompts.change_others_prompts"


class Owned(Protocol):
    user_id: str


def may_change(user: User, owned: Owned) -> bool:
    """Is it theirs, or may they change what belongs to others? Asks the database only for the latter."""
    return owned.user_id == user.pk or user.has_perm(CHANGE_OTHERS)


def check_owner(user: User, prompt: Prompt) -> None:
    """Raises ``Protected`` (403 in the API) where `user` may not change this prompt."""
    if not may_change(user, prompt):
        expected = f"a prompt of your own, or the permission {CHANGE_OTHERS}"
        raise Protected("prompt", expected, f"{prompt.name}, which belongs to {prompt.user.username}")


def find_owner(name: str) -> User:
    """The user to whom a prompt is handed over. By name alone, which prompts show: whether there is somebody
    of an e-mail address is nothing to be told. Raises ``NotThere``.
    """
    owner = User.objects.filter(username=name, is_active=True).first()
    if owner is None:
        raise NotThere("owner", "the name of an active user", repr(name[:150]))
    return owner


def check_scorer(user: User, score: TraceScore) -> None:
    """Raises ``Protected`` where another has sent this score, and `user` may not change what is theirs."""
    if not may_change(user, score):
        raise Protected(
            "id", f"a score of your own, or the permission {CHANGE_OTHERS}", "one of another user"
        )
