"""Who the people of a file are here: by e-mail address in any case, else by name."""

from dataclasses import dataclass, field

from ..models import User
from .records import IMPORTER, Person


@dataclass
class People:
    """``user`` runs the import, and stands in for whom nobody knows here; ``strangers`` are those."""

    user: User
    using: str | None = None
    strangers: dict[Person, None] = field(default_factory=dict)
    _known: dict[Person, str | None] = field(default_factory=dict)

    def find(self, person: Person) -> str | None:
        """The id of the user, or None."""
        if person == IMPORTER:
            return self.user.pk
        if person not in self._known:
            self._known[person] = self._look_up(person)
        return self._known[person]

    def owner(self, person: Person | None) -> str:
        """A prompt has an owner, always."""
        found = self.find(person) if person else None
        if person and not found:
            self.strangers[person] = None
        return found or self.user.pk

    def author(self, person: Person | None, message: str) -> tuple[str | None, str]:
        """The id of the author, and the message: it says who it was where the user who imports stands in."""
        if person is None:
            return None, message
        if found := self.find(person):
            return found, message
        self.strangers[person] = None
        return self.user.pk, f"{message}\n\n(By {person}.)".lstrip()

    def _look_up(self, person: Person) -> str | None:
        users = User.objects.using(self.using).order_by()
        found = users.filter(email__iexact=person.email).first() if person.email else None
        if found is None and person.name:
            found = users.filter(username=person.name).first()
        return found.pk if found else None
