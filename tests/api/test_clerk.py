"""Tokens of Clerk as credentials, through real operations and with keys from a real server."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from afn_project import clerk, clerk_keys
from prompts.models import ApiKey, Prompt, User
from tests.api import clerk_server
from tests.api.clerk_server import SUB, Clerk, claims, ec_key, jwk, rsa_key, token
from tests.api.conftest import Api, bearer

NEW = {"name": "greeting", "title": "Greeting", "content": "Hello {{name}}"}
HOUR = 3_600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock of the kept keys, which start empty; tokens go by the real one."""
    clock = Clock()
    clerk_keys._ring.cache_clear()
    monkeypatch.setattr(
        clerk_keys.KeyRing, "__init__", _with_clock(clerk_keys.KeyRing.__init__, clock), raising=True
    )
    yield clock
    clerk_keys._ring.cache_clear()


def _with_clock(init: Callable[..., None], clock: Clock) -> Callable[..., None]:
    def init_with(self: clerk_keys.KeyRing, url: str, **options: Any) -> None:
        init(self, url, **{"clock": clock} | options)

    return init_with


@pytest.fixture
def provider(settings: Settings, clock: Clock) -> Iterator[Clerk]:
    with clerk_server.running() as running:
        settings.CLERK_ISSUER = clerk_server.ISSUER
        settings.CLERK_JWKS_URL = running.url
        settings.CLERK_AUTHORIZED_PARTIES = ["https://other.example.org", clerk_server.PARTY]
        settings.CLERK_AUDIENCE = []
        settings.CLERK_LEEWAY = 5
        settings.CLERK_CREATE_USERS = False
        settings.AFN_OUTGOING_ALLOWED = [f"127.0.0.1:{running.server.port}"]
        yield running


@pytest.fixture
def known(user: User) -> User:
    User.objects.filter(pk=user.pk).update(clerk_id=SUB)
    user.refresh_from_db()
    return user


def call(credentials: str) -> HttpResponse:
    return Api(bearer(credentials)).get("/prompts")


def refusal(credentials: str) -> str:
    """Why it is refused, which is checked to show nothing of the credentials."""
    response = call(credentials)
    assert response.status_code == 401, response.content
    assert response["WWW-Authenticate"].startswith("Bearer")
    text = response.json()["detail"]
    assert not any(part in text for part in credentials.split(".") if len(part) > 3)
    return text


# Good ones


def test_a_token_reads_and_writes_with_the_permissions_of_its_user(provider: Clerk, known: User) -> None:
    api = Api(bearer(token()), client=Client(enforce_csrf_checks=True))
    assert api.get("/prompts").status_code == 200
    refused = api.post("/prompts", NEW)
    assert refused.status_code == 403
    assert "prompts.add_prompt" in refused.json()["detail"]
    known.user_permissions.add(Permission.objects.get(codename="add_prompt"))
    assert api.post("/prompts", NEW).status_code == 201
    assert Prompt.objects.get().user == known
    assert provider.asked == 1


def test_a_token_goes_with_idempotency_keys(provider: Clerk, known: User) -> None:
    known.user_permissions.set(Permission.objects.filter(content_type__app_label="vectors"))
    api = Api(bearer(token()))
    first = api.post("/vectors/collections", {"name": "notes"}, **{"Idempotency-Key": "one"})
    api = Api(bearer(token(jti="another token of the same session")))
    again = api.post("/vectors/collections", {"name": "notes"}, **{"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"


def test_es256_is_accepted_from_such_a_key(provider: Clerk, known: User) -> None:
    provider.keys = [jwk(ec_key(), "curve")]
    assert call(token(key=ec_key(), kid="curve", algorithm="ES256")).status_code == 200


def test_api_keys_and_sessions_go_on_beside_it(provider: Clerk, known: User, api: Api) -> None:
    assert api.get("/prompts").status_code == 200
    client = Client()
    client.force_login(known)
    assert Api(client=client).get("/prompts").status_code == 200
    assert call(ApiKey.issue(known, "other", ["read"])[1]).status_code == 200
    assert provider.asked == 0


def test_without_an_issuer_tokens_are_unknown_keys(provider: Clerk, known: User, settings: Settings) -> None:
    settings.CLERK_ISSUER = None
    assert "key is unknown" in refusal(token())
    assert provider.asked == 0


def test_a_good_token_is_not_needed_where_reading_is_public_but_a_bad_one_counts(
    provider: Clerk, known: User, settings: Settings
) -> None:
    settings.AFN_PUBLIC_READ = True
    assert Api().get("/prompts").status_code == 200
    assert "signature" in refusal(tampered(token()))


def test_a_token_in_another_place_is_nothing(provider: Clerk, known: User) -> None:
    assert Api({"Authorization": f"Basic {token()}"}).get("/prompts").status_code == 401
    assert Api({"Authorization": token()}).get("/prompts").status_code == 401
    client = Client()
    client.cookies["__session"] = token()
    assert Api(client=client).get("/prompts").status_code == 401


# Claims


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": int(time.time()) - 10}, "expired"),
        ({"nbf": int(time.time()) + 3_600}, "not valid yet"),
        ({"iat": int(time.time()) + 3_600}, "not valid yet"),
        ({"exp": None}, "lacks a claim"),
        ({"nbf": None}, "lacks a claim"),
        ({"iat": None}, "lacks a claim"),
        ({"sub": None}, "lacks a claim"),
        ({"iss": None}, "lacks a claim"),
        ({"azp": None}, "lacks a claim"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": clerk_server.ISSUER + "/"}, "another issuer"),
        ({"iss": clerk_server.ISSUER.upper()}, "another issuer"),
        ({"iss": [clerk_server.ISSUER]}, "issuer|cannot be read"),
        ({"azp": "https://evil.example"}, "azp is not allowed"),
        ({"azp": ""}, "azp is not allowed"),
        ({"azp": clerk_server.PARTY + ".evil.example"}, "azp is not allowed"),
        ({"azp": [clerk_server.PARTY]}, "azp is not allowed"),
        ({"azp": {"x": 1}}, "azp is not allowed"),
        ({"sub": ""}, "cannot be read"),
        ({"sub": 7}, "cannot be read"),
        ({"sub": "x\x00"}, "cannot be read"),
        ({"sub": "x" * 256}, "cannot be read"),
        ({"exp": "soon"}, "cannot be read"),
        ({"exp": float("inf")}, "cannot be read"),
        ({"exp": float("nan")}, "cannot be read"),
        ({"exp": [1]}, "cannot be read"),
        ({"iat": {}}, "cannot be read"),
        ({"nbf": float("-inf")}, "cannot be read"),
        ({"sts": "pending"}, "not active"),
    ],
)
def test_a_token_with_other_claims_is_refused(
    provider: Clerk, known: User, changes: dict[str, Any], reason: str
) -> None:
    text = refusal(token_of(claims(**changes)))
    assert re.search(reason, text), text


@pytest.mark.parametrize(
    ("aud", "status"),
    [(None, 401), ("other", 401), ("afn", 200), (["x", "afn"], 200), ([], 401), (7, 401)],
)
def test_an_audience_counts_where_it_is_set(
    provider: Clerk, known: User, settings: Settings, aud: Any, status: int
) -> None:
    assert call(token_of(claims(aud=aud))).status_code == 200
    settings.CLERK_AUDIENCE = ["afn", "second"]
    assert call(token_of(claims(aud=aud))).status_code == status


def test_clocks_may_differ_a_little(provider: Clerk, known: User, settings: Settings) -> None:
    now = int(time.time())
    settings.CLERK_LEEWAY = 30
    late, early = token(exp=now - 10), token(nbf=now + 10, iat=now + 10)
    assert call(late).status_code == call(early).status_code == 200
    settings.CLERK_LEEWAY = 0
    assert "expired" in refusal(late)
    assert "not valid yet" in refusal(early)


# Signatures


def part(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token_of(payload: Any, header: Any = None, sign: Callable[[bytes], bytes] | None = None) -> str:
    """A token put together by hand, which PyJWT might refuse to make."""
    head = {"alg": "RS256", "typ": "JWT", "kid": "first"} if header is None else header
    signing = f"{part(head)}.{part(payload)}"
    by_key = jwt.get_algorithm_by_name("RS256")
    made = sign(signing.encode()) if sign else by_key.sign(signing.encode(), rsa_key())
    return f"{signing}.{part(made)}"


def tampered(good: str) -> str:
    head, _, signature = good.split(".")
    return f"{head}.{part(claims(sub='user_other'))}.{signature}"


def test_a_changed_token_is_refused(provider: Clerk, known: User) -> None:
    assert "signature" in refusal(tampered(token()))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, ["none"], 0])
def test_an_unsigned_token_is_refused(provider: Clerk, known: User, alg: Any) -> None:
    header = {"alg": alg, "typ": "JWT", "kid": "first"}
    for unsigned in (token_of(claims(), header, lambda _: b""), token_of(claims(), header)):
        refusal(unsigned)
    assert provider.asked == 0


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("form", ["pem", "pkcs1", "der", "jwk"])
def test_the_public_key_is_no_shared_secret(provider: Clerk, known: User, alg: str, form: str) -> None:
    public = rsa_key().public_key()
    secret = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "pkcs1": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(provider.keys[0]).encode(),
    }[form]
    hashed = getattr(hashlib, f"sha{alg[2:]}")
    header = {"alg": alg, "typ": "JWT", "kid": "first"}
    text = refusal(token_of(claims(), header, lambda data: hmac.new(secret, data, hashed).digest()))
    assert "RS256 or ES256" in text


def test_a_shared_secret_among_the_keys_is_passed_over(provider: Clerk, known: User) -> None:
    secret = b"s" * 64
    oct_key = {"kty": "oct", "k": part(secret), "kid": "shared", "use": "sig"}
    provider.keys = [*provider.keys, oct_key, {**oct_key, "alg": "RS256"}, {**oct_key, "alg": "HS256"}]
    for alg in ("HS256", "RS256"):
        header = {"alg": alg, "typ": "JWT", "kid": "shared"}
        forged = token_of(claims(), header, lambda data: hmac.new(secret, data, hashlib.sha256).digest())
        refusal(forged)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_other_algorithms_are_refused_with_the_right_key(
    provider: Clerk, known: User, algorithm: str
) -> None:
    assert "RS256 or ES256" in refusal(token(algorithm=algorithm))


def test_a_key_is_for_its_own_algorithm(provider: Clerk, known: User) -> None:
    provider.keys = [jwk(ec_key(), "curve"), jwk(rsa_key(), "first")]
    refusal(token(kid="curve"))  # RS256, under the id of a key for ES256
    refusal(token(key=ec_key(), kid="first", algorithm="ES256"))


@pytest.mark.parametrize(
    "unusable",
    [
        lambda: jwk(rsa_key("short", 1_024), "bad"),
        lambda: jwk(rsa_key("other"), "bad", use="enc"),
        lambda: jwk(rsa_key("other"), "bad", alg="RS512"),
        lambda: jwk(ec.generate_private_key(ec.SECP384R1()), "bad"),
        lambda: {"kid": "bad"},
        lambda: {"kid": "bad", "kty": "RSA", "n": "!", "e": "AQAB"},
        lambda: {"kid": 7, "kty": "RSA"},
        lambda: "bad",
        lambda: None,
    ],
)
def test_a_key_that_does_not_hold_is_passed_over(
    provider: Clerk, known: User, unusable: Callable[[], Any]
) -> None:
    provider.keys = [unusable(), *provider.keys]
    assert call(token()).status_code == 200
    assert "unknown key" in refusal(token(key=rsa_key("other"), kid="bad"))


def test_a_key_in_the_token_does_not_count(provider: Clerk, known: User) -> None:
    mine = rsa_key("attacker")
    headers = {
        "jwk": jwk(mine, "first"),
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example",
    }
    assert "signature" in refusal(token(key=mine, headers=headers))
    assert provider.asked == 1


def test_what_a_token_calls_critical_is_not_passed_over(provider: Clerk, known: User) -> None:
    refusal(token_of(claims(), {"alg": "RS256", "kid": "first", "crit": ["exp2"], "exp2": 1}))


@pytest.mark.parametrize("kid", [None, "", 7, [], {"a": 1}, "k" * 256])
def test_a_token_that_does_not_name_its_key_is_refused(provider: Clerk, known: User, kid: Any) -> None:
    header = {"alg": "RS256", "typ": "JWT", **({} if kid is None else {"kid": kid})}
    assert refusal(token_of(claims(), header))
    assert provider.asked == 0


# Garbage

GARBAGE = [
    "..",
    "a.b.c",
    "...",
    "a..b",
    "\u00e9.\u00e9.\u00e9",
    f"{part({'alg': 'RS256'})}.x.y",
    f"{part(b'[' * 4_000)}.x.y",
    f"{part([1])}.x.y",
    f"{part(b'null')}.x.y",
    f"{part({'alg': 'RS256', 'kid': 'first'})}.{part(b'{')}.{part(b'x')}",
    f"{part({'alg': 'RS256', 'kid': 'first'})}..",
    f"{part({'alg': 'RS256', 'kid': 'first', 'b64': False, 'crit': ['b64']})}..{part(b'x')}",
    "e30.e30.e30",
    "x" * 9_000 + ".y.z",
    "x.y." + "z" * 100_000,
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused(provider: Clerk, known: User, garbage: str) -> None:
    assert call(garbage).status_code == 401


@pytest.mark.parametrize("payload", [[1], "text", None, 7, b"{", b"[" * 3_000, b"\xff"])
def test_garbage_that_is_signed_is_refused(provider: Clerk, known: User, payload: Any) -> None:
    assert "cannot be read" in refusal(token_of(payload))


def test_a_huge_token_is_refused_before_anything_is_done_with_it(provider: Clerk, known: User) -> None:
    assert "cannot be read" in refusal(token(padding="x" * 10_000))
    assert provider.asked == 0


# Keys


def test_keys_are_fetched_once_an_hour(provider: Clerk, known: User, clock: Clock) -> None:
    for _ in range(3):
        assert call(token()).status_code == 200
    assert provider.asked == 1
    clock.now += HOUR + 1
    assert call(token()).status_code == 200
    assert provider.asked == 2


def test_a_new_key_is_fetched_and_a_withdrawn_one_stops(provider: Clerk, known: User, clock: Clock) -> None:
    old, new = token(), token(key=rsa_key("second"), kid="second")
    assert call(old).status_code == 200
    provider.keys = [jwk(rsa_key("second"), "second")]
    clock.now += clerk_keys.PAUSE + 1
    assert call(new).status_code == 200
    assert "unknown key" in refusal(old)


def test_unknown_ids_do_not_make_us_hammer_the_provider(provider: Clerk, known: User, clock: Clock) -> None:
    for number in range(50):
        assert "unknown key" in refusal(token(kid=f"kid-{number}"))
    assert provider.asked == 1
    clock.now += clerk_keys.PAUSE + 1
    for number in range(50):
        refusal(token(kid=f"kid-{number}"))
    assert provider.asked == 2
    assert call(token()).status_code == 200


def test_kept_keys_count_while_the_provider_is_down_for_a_day(
    provider: Clerk, known: User, clock: Clock
) -> None:
    assert call(token()).status_code == 200
    provider.status = 500
    clock.now += 23 * HOUR
    assert call(token()).status_code == 200
    assert call(token()).status_code == 200
    assert provider.asked == 2  # and not with every request
    assert "unknown key" in refusal(token(kid="other"))
    clock.now += 2 * HOUR
    assert call(token()).status_code == 503
    provider.status = 200
    clock.now += clerk_keys.PAUSE + 1
    assert call(token()).status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: handler.send(500, {}),
        lambda handler: handler.send(302, b"", Location="http://127.0.0.1:9/"),
        lambda handler: handler.send(200, b"<html>no</html>"),
        lambda handler: handler.send(200, b"[" * 100_000),
        lambda handler: handler.send(200, {"keys": []}),
        lambda handler: handler.send(200, {"keys": {"a": 1}}),
        lambda handler: handler.send(200, {"keys": 7}),
        lambda handler: handler.send(200, []),
        lambda handler: handler.send(200, b" " * 300_000),
        lambda handler: handler.send(200, b"\x1f\x8b", Content_Encoding="gzip"),
    ],
)
def test_without_keys_nothing_can_be_told(
    provider: Clerk, known: User, clock: Clock, answer: Callable[[Any], None]
) -> None:
    provider.server.reply = answer
    for _ in range(3):
        response = call(token())
        assert response.status_code == 503
        assert "Clerk's keys" in response.json()["detail"]
        assert "127.0.0.1" not in response.content.decode()
    assert provider.asked == 1
    provider.server.reply = provider.reply
    clock.now += clerk_keys.PAUSE_WITHOUT_KEYS + 1
    assert call(token()).status_code == 200


def test_keys_are_fetched_only_where_calls_are_allowed(
    provider: Clerk, known: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AFN_OUTGOING_ALLOWED = []
    response = call(token())
    assert response.status_code == 503
    assert provider.asked == 0
    assert f"AFN_OUTGOING_ALLOWED=127.0.0.1:{provider.server.port}" in caplog.text
    assert "AFN_OUTGOING_ALLOWED" not in response.content.decode()


def test_the_usual_address_of_the_keys_is_the_issuers(
    provider: Clerk, known: User, settings: Settings
) -> None:
    settings.CLERK_ISSUER, settings.CLERK_JWKS_URL = provider.url.removesuffix("/.well-known/jwks.json"), None
    assert call(token(iss=settings.CLERK_ISSUER)).status_code == 200
    assert provider.server.requests[0][0] == "/.well-known/jwks.json"


def test_threads_share_one_fetch(clock: Clock) -> None:
    """Those without the key wait for it; the one with an old key goes on with that."""
    keys = clerk_keys.read_keys(json.dumps({"keys": [jwk(rsa_key(), "first")]}).encode())
    begun, released, fetched = threading.Event(), threading.Event(), []

    def fetch(url: str) -> clerk_keys.Keys:
        fetched.append(url)
        if len(fetched) > 1:
            begun.set()
            released.wait(30)
        return keys

    ring = clerk_keys.KeyRing("https://x", fetch=fetch, clock=clock)
    assert ring.get("first") is keys["first"]
    clock.now += HOUR + 1
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(ring.get("first"))) for _ in range(1)]
    threads += [threading.Thread(target=lambda: found.append(ring.get("none"))) for _ in range(5)]
    threads[0].start()
    begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    assert ring.get("first") is keys["first"]  # while the fetch hangs
    released.set()
    for thread in threads:
        thread.join()
    assert len(fetched) == 2
    assert found.count(None) == 5


# Users


def test_an_account_without_a_user_is_told_what_to_do(provider: Clerk, user: User) -> None:
    assert refusal(token()) == clerk.NO_USER
    assert User.objects.count() == 1


def test_an_address_links_to_nobody(provider: Clerk, user: User) -> None:
    assert refusal(token(email=user.email, email_verified=True)) == clerk.NO_USER


def test_an_inactive_user_is_refused(provider: Clerk, known: User, settings: Settings) -> None:
    User.objects.filter(pk=known.pk).update(is_active=False)
    settings.CLERK_CREATE_USERS = True
    assert "not active" in refusal(token())
    assert User.objects.count() == 1


def test_a_clerk_id_is_compared_exactly(provider: Clerk, known: User) -> None:
    assert refusal(token(sub=SUB.lower())) == clerk.NO_USER


def test_a_user_is_made_where_that_is_wanted(provider: Clerk, db: None, settings: Settings) -> None:
    settings.CLERK_CREATE_USERS = True
    credentials = token(email="mei@example.com", email_verified=True)
    assert call(credentials).status_code == call(credentials).status_code == 200
    made = User.objects.get()
    assert (made.clerk_id, made.username, made.email) == (SUB, SUB, "mei@example.com")
    assert not made.has_usable_password()
    assert (made.is_staff, made.is_superuser, made.is_active) == (False, False, True)
    assert not made.groups.exists()
    assert not made.user_permissions.exists()
    assert Api(bearer(credentials)).post("/prompts", NEW).status_code == 403


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"email": "mei@example.com"},
        {"email": "mei@example.com", "email_verified": False},
        {"email": "mei@example.com", "email_verified": "true"},
        {"email": "mei@example.com", "email_verified": 1},
        {"email": "no address", "email_verified": True},
        {"email": "x" * 300 + "@example.com", "email_verified": True},
        {"email": ["mei@example.com"], "email_verified": True},
        {"email": "AOI@example.com", "email_verified": True},  # of the user who is there
    ],
)
def test_an_address_that_is_not_surely_theirs_is_not_taken(
    provider: Clerk, user: User, settings: Settings, more: dict[str, Any]
) -> None:
    settings.CLERK_CREATE_USERS = True
    assert call(token(**more)).status_code == 200
    assert User.objects.get(clerk_id=SUB).email.endswith("@clerk.invalid")


def test_a_taken_name_is_left_to_whom_it_belongs(provider: Clerk, user: User, settings: Settings) -> None:
    settings.CLERK_CREATE_USERS = True
    User.objects.filter(pk=user.pk).update(username=SUB)
    assert call(token()).status_code == 200
    made = User.objects.get(clerk_id=SUB)
    assert made.pk != user.pk
    assert made.username != SUB


def test_a_strange_id_makes_a_name_that_is_one(provider: Clerk, db: None, settings: Settings) -> None:
    settings.CLERK_CREATE_USERS = True
    assert call(token(sub="auth0|aoi@example.com " + "x" * 200)).status_code == 200
    made = User.objects.get()
    made.full_clean(exclude=["password"])
    assert made.username.startswith("auth0-aoi-example.com-")


@pytest.mark.django_db(transaction=True)
def test_what_is_served_from_memory_counts_as_the_users(
    provider: Clerk, known: User, settings: Settings
) -> None:
    settings.AFN_ANONYMOUS_RATE_LIMIT, settings.AFN_RATE_LIMIT = "1/min", "4/min"
    Prompt(user=known, name="greeting", title="Greeting", content="Hello").save(index=False)
    api = Api(bearer(token()))
    answers = [api.get("/prompts/greeting") for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 4 + [429] * 2
    assert answers[2]["X-AFN-Cache"] == "memory"
