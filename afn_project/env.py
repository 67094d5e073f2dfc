"""Every environment variable that AFN reads, with its type, default and meaning.

One typed list in place of ``os.environ`` calls: a wrong value stops the start and names what is allowed,
and ``docs/settings.md`` is tested against it. A file ``.env`` beside ``manage.py`` is read too; the
environment wins.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from prompts.rates import read_rate
from vectors.outgoing_hosts import read_entry

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
NAMES = Annotated[list[str], NoDecode]


class Env(BaseSettings):
    model_config = SettingsConfigDict(env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    # Django
    environment: Literal["development", "staging", "production"] = Field(
        "production", description="Names the deployment; sample data are seeded only in `development`."
    )
    debug: bool = Field(False, description="Django's DEBUG. Never on where strangers can reach the site.")
    secret_key: SecretStr | None = Field(
        None, description="Signs sessions; 50 random characters. `quickstart` writes `var/secret_key`."
    )
    allowed_hosts: NAMES = Field(list(LOOPBACK_HOSTS), description="Host names the site answers to.")
    csrf_trusted_origins: NAMES = Field([], description="Origins whose forms are accepted behind a proxy.")
    afn_https: bool = Field(
        False, description="The site is served over HTTPS: secure cookies, HSTS, redirect from HTTP."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    time_zone: str = Field("UTC", description="Zone in which the console shows times, an IANA name.")

    # Database
    turso_database_url: str | None = Field(
        None, description="A libSQL server. Unset: the local file `AFN_DATABASE_FILE`."
    )
    turso_auth_token: SecretStr | None = Field(None, description="Token of that server, if not in the URL.")
    turso_replica_url: str | None = Field(
        None, description="A libSQL server that replicates the first: pages and GET requests read there."
    )
    turso_sync_url: str | None = Field(
        None, description="A libSQL server whose copy is kept in `AFN_REPLICA_FILE` and read there."
    )
    afn_replica_file: Path = Field(
        BASE_DIR / "var" / "replica.db", description="The local copy; `sync_replica` keeps it up to date."
    )
    afn_read_your_writes: float = Field(
        5.0, ge=0, le=3600, description="Seconds for which who wrote reads from the primary, not a replica."
    )
    afn_database_file: Path = Field(
        BASE_DIR / "var" / "afn.db", description="The local libSQL file, used only without a server."
    )
    afn_database_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Encrypts the local file; 32 random bytes. A lost key is lost data.",
    )
    afn_database_timeout: float = Field(5.0, gt=0, le=300, description="Seconds to wait for a file's lock.")
    afn_server_timeout: float = Field(
        15.0, gt=0, le=600, description="Seconds to wait for a server's answer."
    )
    db_pool_size: int = Field(8, ge=1, le=1000, description="Streams to the server that a process keeps.")
    db_max_overflow: int = Field(8, ge=0, le=1000, description="Streams beyond those, closed after use.")
    db_pool_timeout: float = Field(10.0, gt=0, le=300, description="Seconds to wait for a free stream.")
    db_pool_recycle: int | None = Field(
        None, ge=0, description="Seconds a connection is kept. Unset: 60 to a file, for ever to a server."
    )
    afn_server_connections: int = Field(
        128, ge=1, description="Connections that the server allows (`--max-concurrent-connections`)."
    )
    afn_processes: int = Field(
        4, ge=1, description="Web and worker processes that share the server, for a check of the pools."
    )
    db_echo: bool = Field(False, description="Log every SQL statement, without values. For development.")

    # Environments
    afn_environment: str | None = Field(
        None, description="Work on this environment (`manage.py environments list`) instead of the main one."
    )
    afn_environments_dir: Path = Field(
        BASE_DIR / "var" / "environments", description="Folder of the environments that are local files."
    )
    afn_protected_environments: NAMES = Field(["prod"], description="Environments that nobody can delete.")
    afn_backups_dir: Path = Field(
        BASE_DIR / "var" / "backups", description="Folder of the backups that are files."
    )
    afn_sqld_admin_url: str | None = Field(None, description="Admin address of the server, for environments.")
    afn_sqld_admin_key: SecretStr | None = Field(None, description="Its `--admin-auth-key`.")
    afn_token_keys: Path = Field(
        BASE_DIR / "var" / "keys", description="Folder of the keys that sign the server's tokens."
    )
    turso_api_token: SecretStr | None = Field(None, description="Token of Turso's Platform API.")
    turso_organization: str | None = Field(None, description="Organization at Turso.")
    turso_group: str = Field("default", description="Group in which databases are made at Turso.")
    turso_api_url: str = Field("https://api.turso.tech", description="Address of the Platform API.")

    # Redis
    redis_url: str | None = Field(None, description="Cache and queue. Unset: the process's memory.")
    redis_password: SecretStr | None = Field(None, description="Password, if not in the URL.")
    redis_ssl: bool = Field(False, description="Speak TLS to Redis even where the URL says `redis://`.")
    redis_db: int | None = Field(None, ge=0, le=15, description="Database number, if not in the URL.")
    redis_max_retries: int = Field(2, ge=0, le=10, description="Tries after a failed call.")
    redis_retry_delay: int = Field(20, ge=1, le=5000, description="Milliseconds before the first of them.")

    # Search
    afn_embedder: Literal["wordllama", "openai", "sentence-transformers"] = Field(
        "wordllama", description="What turns text into vectors; `wordllama` works offline."
    )
    afn_embedding_model: str | None = Field(None, description="Model of the embedder; each has a default.")
    openai_api_key: SecretStr | None = Field(None, description="Key of the OpenAI-compatible service.")
    openai_base_url: str | None = Field(None, description="Address of another OpenAI-compatible service.")
    vector_dimension: int | None = Field(
        None, ge=1, le=65_536, description="Dimensions to ask of a model that can shorten its vectors."
    )
    vector_metric: Literal["cosine", "l2"] = Field("cosine", description="Distance of new collections.")
    vector_index_type: Literal["auto", "exact", "quantised", "ivf", "diskann"] = Field(
        "auto", description="Search strategy of new collections."
    )

    # Evaluations
    afn_llm_api_key: SecretStr | None = Field(
        None, description="Key of the service that runs and judges prompts. Unset: `OPENAI_API_KEY`."
    )
    afn_llm_base_url: str | None = Field(
        None, description="Address of that service, OpenAI-compatible. Unset: `OPENAI_BASE_URL`."
    )
    afn_llm_model: str | None = Field(None, description="Model that judges where a metric names none.")
    afn_llm_prices: dict[str, list[float]] = Field(
        {}, description="US dollars for a million tokens in and out, by model, as JSON."
    )

    # API
    afn_public_read: bool = Field(
        False, description="Reading the API needs no key; `quickstart` turns it on."
    )
    afn_rate_limit: str | None = Field(
        None, description="How often each key, or user without one, may call the API, such as `1000/min`."
    )
    afn_anonymous_rate_limit: str | None = Field(
        None, description="The same by address for whoever reads without a key."
    )
    afn_wrong_key_limit: str | None = Field(
        "30/min", description="How many wrong keys an address may send before it is refused unheard."
    )
    afn_login_failures: int = Field(
        5, ge=0, le=1_000, description="Wrong passwords of an account after which an address has to wait."
    )
    afn_login_lock_minutes: int = Field(15, ge=1, le=1_440, description="How long it has to wait.")
    afn_proxies: int = Field(
        0, ge=0, le=10, description="Proxies in front that write `X-Forwarded-For`; for limits by address."
    )
    afn_cors_origins: NAMES = Field([], description="Origins of browsers that may call the API.")
    afn_serving_cache_mb: float = Field(
        32.0, ge=0, le=10_000, description="Megabytes of served prompts that a process keeps in memory."
    )
    afn_max_body_mb: float = Field(5.0, gt=0, le=100, description="Largest request body, in megabytes.")
    afn_outgoing_allowed: NAMES = Field(
        [], description="Hosts that AFN may call although they are not public or have no TLS."
    )

    # Users of Clerk
    clerk_issuer: str | None = Field(None, description="Issuer of session tokens that the API accepts.")
    clerk_jwks_url: str | None = Field(
        None, description="Address of its keys. Unset: /.well-known/jwks.json of the issuer."
    )
    clerk_audience: NAMES = Field([], description="Audiences, one of which a token must name.")
    clerk_authorized_parties: NAMES = Field(
        [], validate_default=True, description="Origins of the front ends whose tokens count (`azp`)."
    )
    clerk_leeway: int = Field(5, ge=0, le=60, description="Seconds by which clocks may differ.")
    clerk_create_users: bool = Field(False, description="Make a user for whoever comes for the first time.")

    @field_validator(
        "allowed_hosts",
        "csrf_trusted_origins",
        "afn_cors_origins",
        "afn_protected_environments",
        "afn_outgoing_allowed",
        "clerk_audience",
        "clerk_authorized_parties",
        mode="before",
    )
    @classmethod
    def split_names(cls, value: Any) -> Any:
        """Names are separated by commas or spaces."""
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("csrf_trusted_origins", "afn_cors_origins")
    @classmethod
    def check_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            parts = urlsplit(origin)
            if not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError("Expected origins such as https://afn.example.org")
        return value

    @field_validator("afn_rate_limit", "afn_anonymous_rate_limit", "afn_wrong_key_limit")
    @classmethod
    def check_rate(cls, value: str | None) -> str | None:
        value = None if value in (None, "0", "off") else value
        read_rate(value)
        return value

    @field_validator("afn_outgoing_allowed")
    @classmethod
    def check_outgoing(cls, value: list[str]) -> list[str]:
        for entry in value:
            read_entry(entry)
        return value

    @field_validator("clerk_issuer", "clerk_jwks_url")
    @classmethod
    def check_clerk_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Whether it may be called is for `vectors.outgoing` to say; the issuer is a name above all."""
        schemes = ("https",) if info.field_name == "clerk_issuer" else ("https", "http")
        parts = urlsplit(value or "https://unset")
        if parts.scheme not in schemes or not parts.hostname or "@" in parts.netloc or parts.fragment:
            raise ValueError("Expected an address such as https://example.clerk.accounts.dev")
        return value

    @field_validator("clerk_authorized_parties")
    @classmethod
    def check_authorized_parties(cls, value: list[str], info: ValidationInfo) -> list[str]:
        """Without them, a token made for any other site of the same Clerk account would do here."""
        if info.data.get("clerk_issuer") and not value:
            raise ValueError("Expected the origins of your front ends, since CLERK_ISSUER is set")
        return value

    @field_validator("time_zone")
    @classmethod
    def check_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("Expected an IANA name such as Asia/Tokyo") from error
        return value

    @field_validator(
        "afn_database_file", "afn_replica_file", "afn_environments_dir", "afn_backups_dir", "afn_token_keys"
    )
    @classmethod
    def from_the_checkout(cls, value: Path) -> Path:
        """A relative path means the same file wherever a command is started."""
        return value if str(value) == ":memory:" else BASE_DIR / value

    @field_validator("afn_environment")
    @classmethod
    def check_environment(cls, value: str | None) -> str | None:
        """It becomes part of a file name or of a host name."""
        if value is not None and not re.fullmatch(r"[a-z][a-z0-9-]{0,62}", value):
            raise ValueError("Expected 1 to 63 lower-case letters, digits and hyphens, a letter first")
        return value

    @field_validator("vector_index_type", mode="before")
    @classmethod
    def refuse_foreign_indexes(cls, value: Any) -> Any:
        if str(value).lower() in ("hnsw", "ivfflat", "vec0"):
            raise ValueError(f"libSQL has no {value} index. AFN has exact, quantised, ivf and diskann")
        return value


# Names that the field uses and AFN refuses to guess at: each with the reason.
REFUSED = {
    "ALEMBIC_CONFIG": "Django's migrations replace Alembic: run `manage.py migrate`",
    "ALEMBIC_MIGRATION_DIR": "Django's migrations replace Alembic: they live in each app's migrations folder",
}


def read_env(file: Path = BASE_DIR / ".env") -> Env:
    """Read and check the environment and `file`; ``ImproperlyConfigured`` names every wrong variable."""
    try:
        names = {name.upper() for name, value in {**dotenv_values(file), **os.environ}.items() if value}
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"{file}: expected UTF-8 text, got other bytes.") from error
    problems = [f"{name}: {reason}." for name, reason in REFUSED.items() if name in names]
    try:
        env = Env(_env_file=file)
    except ValidationError as error:
        problems += [_describe(detail) for detail in error.errors(include_url=False)]
    if problems:
        raise ImproperlyConfigured("Wrong settings in the environment:\n  " + "\n  ".join(problems))
    return env


def _describe(detail: Any) -> str:
    name = str(detail["loc"][0]).upper()
    field = Env.model_fields.get(str(detail["loc"][0]))
    # A secret's value must not reach the terminal or a log.
    is_secret = field is not None and "SecretStr" in str(field.annotation)
    got = "" if is_secret else f", got {detail['input']!r}"
    return f"{name}: {detail['msg'].removeprefix('Value error, ')}{got}."
