"""The addresses of the cache and of the queue in Redis, made of the parts that the environment gives."""

import re
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import SecretStr

from .env import Env

_ALONE = "Give one address that always leads to the primary: a virtual one, or a proxy such as HAProxy"
_CLUSTER = (
    "clusters are not supported: Celery's queue changes several keys in one step, which a cluster refuses "
    "for keys of different nodes. Give the address of one server; AFN's load does not need more"
)
_SENTINEL = f"Sentinel is not supported: cache and queue each know one address. {_ALONE}"
_LIST = f"several addresses are not supported: cache and queue each know one. {_ALONE}"


def cache_url(env: Env) -> str:
    """REDIS_URL with its password and database; empty where there is none."""
    if not env.redis_url:
        return ""
    parts = _read("REDIS_URL", env.redis_url)
    number = parts.path.strip("/")
    if env.redis_db is not None and number not in ("", str(env.redis_db)):
        raise ImproperlyConfigured(
            f"REDIS_DB: expected the database of REDIS_URL, {number}, or one of the two left out, "
            f"got {env.redis_db}."
        )
    path = parts.path if env.redis_db is None else f"/{env.redis_db}"
    scheme = "rediss" if env.redis_ssl else parts.scheme
    return _with_password(parts._replace(scheme=scheme, path=path), env.redis_password)


def queue_url(env: Env) -> str:
    """CELERY_BROKER_URL with its password; without one, the cache's Redis is the queue's too."""
    if not env.celery_broker_url:
        return cache_url(env)
    if not env.redis_url:
        raise ImproperlyConfigured(
            "CELERY_BROKER_URL: expected REDIS_URL beside it, got none. Where there is a queue, there are "
            "several processes, which need a cache that they share; it may be the same server."
        )
    return _with_password(_read("CELERY_BROKER_URL", env.celery_broker_url), env.celery_broker_password)


def _read(name: str, url: str) -> SplitResult:
    """Its parts. What is refused is not shown: it may hold a password."""
    scheme = url.partition("://")[0].lower()
    hosts = url.partition("://")[2].rpartition("@")[2]
    if "cluster" in scheme:
        raise ImproperlyConfigured(f"{name}: {_CLUSTER}.")
    if "sentinel" in scheme:
        raise ImproperlyConfigured(f"{name}: {_SENTINEL}.")
    if scheme in ("redis", "rediss") and (
        re.search(r"[,;\s]", re.split(r"[/?]", hosts)[0]) or url.count("://") > 1
    ):
        raise ImproperlyConfigured(f"{name}: {_LIST}.")
    try:
        parts = urlsplit(url)
        is_redis = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text may quote a password, so it is not shown
        is_redis = False
    if not is_redis:
        raise ImproperlyConfigured(f"{name}: expected redis://host:port/number or rediss://….")
    return parts


def _with_password(parts: SplitResult, password: SecretStr | None) -> str:
    netloc = parts.netloc
    if password and parts.password is None:
        host = netloc.rpartition("@")[2]
        netloc = f"{parts.username or ''}:{quote(password.get_secret_value(), safe='')}@{host}"
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
