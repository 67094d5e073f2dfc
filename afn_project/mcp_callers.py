"""Who calls the MCP server: whoever the REST API would let in, or the user of a command."""

from django.contrib.auth.models import AnonymousUser
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest
from ninja.errors import AuthenticationError, AuthorizationError

from prompts.models import User
from vectors.permissions import READING

from .api_auth import AUTH, Session
from .replicas import note_write


class HttpCaller:
    """By the credentials of a request: an API key, a token of Clerk, or none where reading is public."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._reader: User | AnonymousUser | None = None

    def admit(self, permission: str) -> User | AnonymousUser:
        """Raises ``AuthenticationError``, ``AuthorizationError``, or whatever the API's look-up raises.

        Who may read is looked at once a request, who may change something each time.
        """
        if permission != READING:
            user = self._look_up(permission)
            note_write(self._request)
            return user
        if self._reader is None:
            self._reader = self._look_up(READING)
        return self._reader

    def _look_up(self, permission: str) -> User | AnonymousUser:
        request = self._request
        request.needed_permission = permission  # type: ignore[attr-defined]
        for authenticate in AUTH:
            # Cookies count for nothing, as browsers send them by themselves. Credentials that nobody has
            # understood so far are refused there.
            if isinstance(authenticate, Session) and "Authorization" not in request.headers:
                continue
            if (user := authenticate(request)) is not None:
                return user
        raise AuthenticationError


class LocalCaller:
    """A user whom the operator named: no key, and no more than this user's permissions."""

    def __init__(self, user: User) -> None:
        self._id = user.pk

    def admit(self, permission: str) -> User:
        """Looked up anew: the account may be closed while the server runs. Raises ``AuthorizationError``."""
        user = User.objects.using(DEFAULT_DB_ALIAS).filter(pk=self._id, is_active=True).first()
        if user is None:
            raise AuthorizationError(message="The account that this server acts for is closed.")
        if permission != READING and not user.has_perm(permission):
            raise AuthorizationError(message=f"The account lacks the permission {permission}.")
        return user
