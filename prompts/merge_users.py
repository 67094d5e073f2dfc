"""Who a user of one database is in another."""

from collections.abc import Iterable

from django.db.models import Q
from django.db.models.functions import Lower

from .merge_rows import slices
from .models import User


def map_users(source: str, target: str, ids: Iterable[str]) -> dict[str, str]:
    """From users of `source` to those of `target` with the same id, else the same e-mail address in any case,
    else the same name; who is neither is left out.
    """
    users: dict[str, tuple[str, str]] = {}
    for keys in slices(sorted(set(ids))):
        rows = User.objects.using(source).filter(pk__in=keys).annotate(address=Lower("email")).order_by()
        users |= {key: (name, email) for key, name, email in rows.values_list("pk", "username", "address")}
    return _find(target, users)


def find_user(using: str, user: User | None) -> str | None:
    """The id in this database of `user`, who may be of another; None for nobody."""
    if user is None:
        return None
    # Of bytes, lower() knows ASCII only, as the database's does.
    address = user.email.encode().lower().decode()
    return _find(using, {user.pk: (user.username, address)}).get(user.pk)


def _find(using: str, users: dict[str, tuple[str, str]]) -> dict[str, str]:
    ids: set[str] = set()
    by_name: dict[str, str] = {}
    by_email: dict[str, str] = {}
    for keys in slices(list(users)):
        names, emails = ([users[key][part] for key in keys] for part in (0, 1))
        rows = User.objects.using(using).annotate(address=Lower("email")).order_by()
        wanted = Q(pk__in=keys) | Q(username__in=names) | Q(address__in=emails)
        for key, name, email in rows.filter(wanted).values_list("pk", "username", "address"):
            ids.add(key)
            by_name[name], by_email[email] = key, key
    found = {
        key: key if key in ids else by_email.get(email) or by_name.get(name)
        for key, (name, email) in users.items()
    }
    return {key: other for key, other in found.items() if other}
