"""Session tokens of Clerk (JWT) as credentials of the API.

A token counts if Clerk signed it, for a front end that the operator listed, and it is in its time. Its user
is the one whose `clerk_id` is the token's `sub`. What a refusal says never contains a part of the token.
"""

import re
from contextlib import suppress
from typing import Any, NoReturn

import jwt
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DEFAULT_DB_ALIAS, IntegrityError
from ninja.errors import AuthenticationError, HttpError

from prompts.models import User
from prompts.models.base import new_id

from .clerk_keys import KeysUnavailable, current

ALGORITHMS = ("RS256", "ES256")
MAX_TOKEN = 8_192
MAX_ID = 255
API_KEY = "sk-afn-"

NO_USER = "There is no user for this Clerk account; an admin sets clerk_id."
# In general words, by what PyJWT found; the more special class stands first.
REASONS: list[tuple[type[Exception], str]] = [
    (jwt.ExpiredSignatureError, "This token has expired."),
    (jwt.ImmatureSignatureError, "This token is not valid yet."),
    (jwt.InvalidIssuerError, "This token is of another issuer."),
    (jwt.InvalidAudienceError, "This token is for another audience."),
    (
        jwt.MissingRequiredClaimError,
        "This token lacks a claim: exp, nbf, iat, iss, sub and azp are needed, and with CLERK_AUDIENCE aud.",
    ),
    (jwt.InvalidAlgorithmError, "This token is not signed with RS256 or ES256."),
    (jwt.InvalidSignatureError, "This token's signature is wrong."),
]
MALFORMED = "This token cannot be read."


def is_token(credentials: str) -> bool:
    """Does this look like a JWT? API keys have no dots."""
    return credentials.count(".") == 2 and not credentials.startswith(API_KEY)


def user_of(token: str) -> User:
    """The active user whom the token stands for.

    Raises AuthenticationError (401), or HttpError with 503 where Clerk's keys cannot be had.
    """
    claims = verify(token)
    sub: str = claims["sub"]
    user = User.objects.filter(clerk_id=sub).first()
    if user is None and settings.CLERK_CREATE_USERS:
        user = _create(sub, claims)
    if user is None:
        _refuse(NO_USER)
    if not user.is_active:
        _refuse("The user of this Clerk account is not active.")
    return user


def verify(token: str) -> dict[str, Any]:
    """The claims of a token that counts; raises as `user_of`."""
    if len(token) > MAX_TOKEN or not token.isascii():
        _refuse(MALFORMED)
    key = _key(token)
    is_bound = bool(settings.CLERK_AUDIENCE)
    try:
        claims = jwt.decode(
            token,
            key,
            # The key decides. A token that chose could have a public key taken for a shared secret.
            algorithms=[key.algorithm_name],
            issuer=settings.CLERK_ISSUER,
            audience=settings.CLERK_AUDIENCE if is_bound else None,
            leeway=settings.CLERK_LEEWAY,
            options={
                "require": ["exp", "nbf", "iat", "iss", "sub", "azp"],
                "verify_aud": is_bound,
                "enforce_minimum_key_length": True,
            },
        )
    except jwt.PyJWTError as error:
        _refuse(_reason(error))
    except (ValueError, TypeError, ArithmeticError):  # claims of another type, infinite times
        _refuse(MALFORMED)
    _check_claims(claims)
    return claims


def _key(token: str) -> jwt.PyJWK:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        _refuse(MALFORMED)
    if header.get("alg") not in ALGORITHMS:
        _refuse(_reason(jwt.InvalidAlgorithmError()))
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_ID:
        _refuse("This token does not name its key.")
    try:
        key = current().get(kid)
    except KeysUnavailable:
        # Neither right nor wrong can be told.
        raise HttpError(503, "Clerk's keys cannot be fetched now, so no token can be checked.") from None
    if key is None:
        _refuse("This token is signed with an unknown key.")
    return key


def _check_claims(claims: dict[str, Any]) -> None:
    sub, azp = claims["sub"], claims["azp"]
    if not isinstance(azp, str) or azp not in settings.CLERK_AUTHORIZED_PARTIES:
        _refuse("This token is for another front end: its azp is not allowed.")
    if not isinstance(sub, str) or not 0 < len(sub) <= MAX_ID or not sub.isprintable():
        _refuse(MALFORMED)
    if claims.get("sts", "active") != "active":  # Clerk's "pending": signed in, but not through yet
        _refuse("This session is not active.")


def _create(sub: str, claims: dict[str, Any]) -> User | None:
    """A user without password and groups, on the primary; or the one that another request has just made."""
    safe = re.sub(r"[^\w.+-]", "-", sub)[:150]  # not even @: a name must not pass for somebody's address
    for username, email in ((safe, _email(claims)), (new_id(), _no_email())):
        values = {"username": username, "email": email, "password": make_password(None)}
        with suppress(IntegrityError):  # the name or the address was taken meanwhile
            return User.objects.using(DEFAULT_DB_ALIAS).get_or_create(clerk_id=sub, defaults=values)[0]
    return None


def _email(claims: dict[str, Any]) -> str:
    """The address of the token if Clerk has seen that it is theirs, and nobody has it here."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or len(email) > 254:
        return _no_email()
    try:
        validate_email(email)
    except ValidationError:
        return _no_email()
    is_taken = User.objects.using(DEFAULT_DB_ALIAS).filter(email__iexact=email).exists()
    return _no_email() if is_taken else email


def _no_email() -> str:
    """Every user has an address of its own; nothing is ever delivered to `.invalid` (RFC 2606)."""
    return f"{new_id()}@clerk.invalid"


def _reason(error: Exception) -> str:
    return next((text for kind, text in REASONS if isinstance(error, kind)), MALFORMED)


def _refuse(text: str) -> NoReturn:
    # The cause may quote the token, so it ends here.
    raise AuthenticationError(message=text) from None
