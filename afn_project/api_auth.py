"""Who calls the API: an API key (Bearer, or Basic as public:secret), a token of Clerk, a session, or anyone.

Operations declare what they need (``vectors.permissions.needs``). Writing needs the Django permission of the
user behind the key, token or session; a key also needs the scope "read" or "write", a session a CSRF token
with every method that may change something. A token needs none: no browser sends it by itself.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from ninja.errors import AuthenticationError, AuthorizationError
from ninja.security import HttpBasicAuth, HttpBearer, SessionAuth
from ninja.utils import check_csrf

from prompts import limiting
from prompts.models import ApiKey, Scope, User
from vectors.permissions import READING, needed_permission

from . import clerk, idempotency
from .key_cache import key_cache
from .replicas import bookkeeping

UNKNOWN_KEY = "This key is unknown, revoked or expired."


class ClerkToken(HttpBearer):
    """Only where CLERK_ISSUER is set, and only for what looks like a token: all else may be a key."""

    def __call__(self, request: HttpRequest) -> User | None:
        token = request.headers.get("Authorization", "").partition(" ")[2].strip()
        is_meant = settings.CLERK_ISSUER and _scheme(request) == "bearer" and clerk.is_token(token)
        return self.authenticate(request, token) if is_meant else None

    def authenticate(self, request: HttpRequest, token: str) -> User:
        limiting.check_wrong_credentials(request)
        try:
            user = clerk.user_of(token)
        except AuthenticationError:
            limiting.note_wrong_credentials(request)
            raise
        # Also for what is served from memory: it counts as this user's, not as anybody's.
        request.afn_caller = f"user:{user.pk}"  # type: ignore[attr-defined]
        limiting.check_rate(request, f"user:{user.pk}")
        _check_permission(request, user)
        request.user = user
        idempotency.begin(request, user)
        return user


class ApiKeyBearer(HttpBearer):
    def __call__(self, request: HttpRequest) -> User | None:
        return super().__call__(request) if _scheme(request) == "bearer" else None

    def authenticate(self, request: HttpRequest, token: str) -> User:
        return _admit(request, lambda: ApiKey.objects.by_secret(token.strip()))


class ApiKeyPair(HttpBasicAuth):
    def __call__(self, request: HttpRequest) -> User | None:
        return super().__call__(request) if _scheme(request) == "basic" else None

    def authenticate(self, request: HttpRequest, username: str, password: str) -> User:
        is_storable = "\0" not in username  # the database refuses to compare with it
        return _admit(request, lambda: ApiKey.objects.by_pair(username, password) if is_storable else None)


class Session(SessionAuth):
    def __call__(self, request: HttpRequest) -> User | None:
        if "Authorization" in request.headers:  # credentials that nobody understood
            limiting.check_wrong_credentials(request)
            limiting.note_wrong_credentials(request)
            raise AuthenticationError(message=UNKNOWN_KEY)
        user = request.user
        if not isinstance(user, User):
            return None
        if check_csrf(request):
            raise AuthorizationError(message="The CSRF token is missing or wrong: send it as X-CSRFToken.")
        limiting.check_rate(request, f"user:{user.pk}")
        _check_permission(request, user)
        idempotency.begin(request, user)
        return user


def public_read(request: HttpRequest) -> AnonymousUser | None:
    """Anyone may read where AFN_PUBLIC_READ is on."""
    if not settings.AFN_PUBLIC_READ or needed_permission(request) != READING:
        return None
    limiting.check_rate(request, "")
    return AnonymousUser()


# In this order: credentials that are given count, wrong ones even where reading is public.
AUTH: list[Callable[[HttpRequest], Any]] = [
    ClerkToken(),
    ApiKeyBearer(),
    ApiKeyPair(),
    Session(),
    public_read,
]


def _scheme(request: HttpRequest) -> str:
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def _check_permission(request: HttpRequest, user: User) -> None:
    permission = needed_permission(request)
    if permission != READING and not user.has_perm(permission):
        raise AuthorizationError(message=f"Your account lacks the permission {permission}.")


def _admit(request: HttpRequest, look_up: Callable[[], ApiKey | None]) -> User:
    if wait := getattr(request, "afn_wait", 0):  # what served from memory has counted it
        raise limiting.TooMany(wait)
    permission = needed_permission(request)
    credentials = request.META["HTTP_AUTHORIZATION"]
    key = key_cache.get(credentials) if permission == READING else None
    if key is None:
        limiting.check_wrong_credentials(request)  # a key that was right a moment ago goes on to work
        key = look_up()
        if key is None:
            limiting.note_wrong_credentials(request)
            raise AuthenticationError(message=UNKNOWN_KEY)
        key_cache.put(credentials, key)
    request.afn_caller = f"key:{key.pk}"  # type: ignore[attr-defined]
    request.afn_looked_up = key.looked_up  # type: ignore[attr-defined]
    limiting.check_rate(request, f"key:{key.pk}")
    scope = Scope.READ if permission == READING else Scope.WRITE
    if not key.allows(scope):
        raise AuthorizationError(message=f"This key lacks the scope {scope.value!r}.")
    if permission != READING and not key.user.has_perm(permission):
        raise AuthorizationError(message=f"The key's user lacks the permission {permission}.")
    with bookkeeping():
        key.touch()
    request.user = key.user
    request.api_key = key  # type: ignore[attr-defined]  # for operations on keys
    idempotency.begin(request, key.user)
    return key.user
