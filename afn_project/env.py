"""Every environment variable that AFN reads, with its type, default and meaning.

One typed list in place of ``os.environ`` calls: a wrong value stops the start and names what is allowed,
and ``docs/settings.md`` is tested against it. A file ``.env`` beside ``manage.py``, or an encrypted
``.env.enc``, is read too; the environment wins. What is or may hold a secret can also come from a file that
a variable with ``_FILE`` at its end names.
"""

import os
import re
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, SettingsConfigDict, SettingsError

from ops.backups.retention import read_rule
from ops.health.names import PARTS
from prompts.networks import read_network
from prompts.rates import read_rate
from vectors.outgoing_hosts import read_entry

from .env_files import EnvFile, read_env_file
from .secret_files import resolve
from .secure_env.texts import read_values

BASE_DIR = Path(__file__).resolve().parent.parent
FILE: Path | None = BASE_DIR / ".env"  # None: only the environment is read
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
NAMES = Annotated[list[str], NoDecode]
_MAY_HOLD_PASSWORD = "an address with room for a password"  # noqa: S105 - a mark of fields
ADDRESS = Annotated[str | None, _MAY_HOLD_PASSWORD]


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
    secret_key_fallbacks: SecretStr | None = Field(
        None, description="Its former values, separated by spaces: they count until `reseal_secrets` ran."
    )
    allowed_hosts: NAMES = Field(list(LOOPBACK_HOSTS), description="Host names the site answers to.")
    csrf_trusted_origins: NAMES = Field([], description="Origins whose forms are accepted behind a proxy.")
    afn_https: bool = Field(
        False, description="The site is served over HTTPS: secure cookies, HSTS, redirect from HTTP."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    afn_log_format: Literal["plain", "json"] = Field("plain", description="Form of the log's lines.")
    afn_log_file: Path | None = Field(None, description="A file that gets the log, too.")
    afn_slow_query_seconds: float = Field(
        1.0, ge=0, le=3600, description="Statements that take longer are kept for a look; 0 keeps none."
    )
    time_zone: str = Field("UTC", description="Zone in which the console shows times, an IANA name.")

    # Database
    turso_database_url: ADDRESS = Field(
        None, description="A libSQL server. Unset: the local file `AFN_DATABASE_FILE`."
    )
    turso_auth_token: SecretStr | None = Field(None, description="Token of that server, if not in the URL.")
    turso_replica_url: ADDRESS = Field(
        None, description="A libSQL server that replicates the first: pages and GET requests read there."
    )
    turso_sync_url: ADDRESS = Field(
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
    afn_run_dir: Path = Field(
        BASE_DIR / "var" / "run", description="Folder of what processes of a machine share while they run."
    )
    afn_backups_dir: Path = Field(
        BASE_DIR / "var" / "backups", description="Folder of the backups that are files."
    )
    afn_backups_keep: str = Field(
        "hourly=24 daily=7 weekly=5 monthly=12", description="How many backups are kept, by their age."
    )
    afn_backup_key: SecretStr | None = Field(
        None, description="Encrypts backups: an age identity, as `backup_key` makes one."
    )
    afn_backup_recipients: NAMES = Field(
        [], description="Public keys (`age1…`) of others who shall be able to open backups."
    )
    afn_backup_redis_url: ADDRESS = Field(
        None, description="Redis whose content is part of backups, with the user for it."
    )
    afn_backups_s3_bucket: str | None = Field(None, description="Bucket to which backups are brought, too.")
    afn_backups_s3_prefix: str | None = Field(None, description="Folder in it.")
    afn_backups_s3_endpoint: str | None = Field(
        None, description="Address of a service that speaks S3. Unset: Amazon's."
    )
    afn_backups_s3_region: str | None = Field(None, description="Region of the bucket.")
    afn_backups_s3_access_key: SecretStr | None = Field(
        None, description="Access key. Unset: what boto3 finds, such as the role of the machine."
    )
    afn_backups_s3_secret_key: SecretStr | None = Field(None, description="Its secret.")
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
    redis_url: ADDRESS = Field(None, description="Cache and queue. Unset: the process's memory.")
    redis_password: SecretStr | None = Field(None, description="Password, if not in the URL.")
    redis_ssl: bool = Field(False, description="Speak TLS to Redis even where the URL says `redis://`.")
    redis_db: int | None = Field(None, ge=0, le=15, description="Database number, if not in the URL.")
    redis_max_retries: int = Field(2, ge=0, le=10, description="Tries after a failed call.")
    redis_retry_delay: int = Field(20, ge=1, le=5000, description="Milliseconds before the first of them.")
    celery_broker_url: ADDRESS = Field(
        None, description="A Redis for the queue alone. Unset: `REDIS_URL` holds both."
    )
    celery_broker_password: SecretStr | None = Field(None, description="Its password, if not in the URL.")
    afn_task_time_limit: int = Field(
        3600, ge=10, le=604_800, description="Seconds after which a worker's task is ended."
    )
    afn_sessions: Literal["database", "cached_db"] = Field(
        "database", description="Where logins are kept: the database, or there with copies in Redis."
    )
    afn_schedule: bool = Field(
        True, description="Without Redis: the web server's process runs the schedule (docs/jobs.md)."
    )

    # Health and metrics
    afn_metrics_token: SecretStr | None = Field(
        None, min_length=16, description="Bearer token by which Prometheus reads `/metrics`."
    )
    afn_trust_loopback: bool = Field(
        False, description="Programs of this machine read `/metrics` and figures of health without a token."
    )
    afn_ready_needs: NAMES = Field(
        ["database", "search"],
        description="Parts without which `/health/ready` answers 503.",
    )

    # Alerts
    afn_email_url: ADDRESS = Field(
        None, description="Mail server for alerts: `smtps://user:password@host`. Unset: no e-mail is sent."
    )
    afn_email_from: str = Field("afn@localhost", description="Sender of its e-mails.")

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
    afn_realtime_clients: int = Field(
        500, ge=0, le=100_000, description="Connections that a process holds at `/ws` and `/events`."
    )
    afn_realtime_clients_per_user: int = Field(
        20, ge=1, le=100_000, description="Of those, connections of one user."
    )
    afn_login_failures: int = Field(
        5, ge=0, le=1_000, description="Wrong passwords of an account after which an address has to wait."
    )
    afn_login_lock_minutes: int = Field(15, ge=1, le=1_440, description="How long it has to wait.")
    afn_proxies: int = Field(
        0, ge=0, le=10, description="Proxies in front that write `X-Forwarded-For`; for limits by address."
    )
    afn_allowed_networks: NAMES = Field([], description="Networks that may reach the site. Empty: all.")
    afn_console_networks: NAMES = Field([], description="Those of them that may reach the console.")
    afn_api_networks: NAMES = Field([], description="Those of them that may reach the APIs and MCP.")
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
        "afn_backup_recipients",
        "afn_outgoing_allowed",
        "afn_ready_needs",
        "afn_allowed_networks",
        "afn_console_networks",
        "afn_api_networks",
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

    @field_validator("afn_email_from")
    @classmethod
    def check_email_from(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1] or not value.isprintable():
            raise ValueError("Expected an address such as AFN <afn@example.org>")
        return value

    @field_validator("afn_backups_keep")
    @classmethod
    def check_backups_keep(cls, value: str) -> str:
        read_rule(value)
        return value

    @field_validator("afn_ready_needs")
    @classmethod
    def check_ready_needs(cls, value: list[str]) -> list[str]:
        if wrong := [name for name in value if name not in PARTS]:
            raise ValueError(f"Expected names of {', '.join(PARTS)}; {wrong[0]} is none")
        return value

    @field_validator("afn_outgoing_allowed")
    @classmethod
    def check_outgoing(cls, value: list[str]) -> list[str]:
        for entry in value:
            read_entry(entry)
        return value

    @field_validator("afn_allowed_networks", "afn_console_networks", "afn_api_networks")
    @classmethod
    def check_networks(cls, value: list[str]) -> list[str]:
        for entry in value:
            read_network(entry)
        return value

    @field_validator("afn_log_file")
    @classmethod
    def log_from_the_checkout(cls, value: Path | None) -> Path | None:
        return value and BASE_DIR / value

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
        "afn_database_file",
        "afn_replica_file",
        "afn_environments_dir",
        "afn_run_dir",
        "afn_backups_dir",
        "afn_token_keys",
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


_ONE_REDIS = (
    "Cache and queue each know one Redis: give `REDIS_URL` an address that always leads to the primary"
)
# Names that the field uses and AFN refuses to guess at: each with the reason.
REFUSED = {
    "REDIS_CLUSTER": "Celery's queue cannot live in a Redis cluster: give `REDIS_URL` one server",
    "REDIS_CLUSTER_NODES": "Celery's queue cannot live in a Redis cluster: give `REDIS_URL` one server",
    "REDIS_SENTINEL": _ONE_REDIS,
    "REDIS_SENTINELS": _ONE_REDIS,
    "REDIS_SENTINEL_HOSTS": _ONE_REDIS,
    "REDIS_SENTINEL_MASTER": _ONE_REDIS,
    "ALEMBIC_CONFIG": "Django's migrations replace Alembic: run `manage.py migrate`",
    "ALEMBIC_MIGRATION_DIR": "Django's migrations replace Alembic: they live in each app's migrations folder",
}


def may_hold_secret(name: str) -> bool:
    """Whether the value of a field is never shown, and may come from a file."""
    field = Env.model_fields[name]
    return "SecretStr" in str(field.annotation) or _MAY_HOLD_PASSWORD in field.metadata


def secret_names() -> list[str]:
    """Variables that may come from a file, each named by the variable with ``_FILE`` at its end."""
    return [name.upper() for name in Env.model_fields if may_hold_secret(name)]


def read_env(file: Path | None = None) -> Env:
    """Read and check the environment and `file`; ``ImproperlyConfigured`` names every wrong variable."""
    chosen = file or FILE
    env, problems = _build(read_env_file(chosen) if chosen else EnvFile(), os.environ)
    if env is None or problems:
        raise ImproperlyConfigured("Wrong settings in the environment:\n  " + "\n  ".join(problems))
    return env


def find_problems(text: str) -> list[str]:
    """What is wrong with the text of a `.env`, without values. It counts above the environment."""
    below = EnvFile(dict(os.environ), is_encrypted=True)
    return _build(below, read_values(text), are_shown=False)[1]


def _build(
    file: EnvFile, above: Mapping[str, str | None], *, are_shown: bool = True
) -> tuple[Env | None, list[str]]:
    """The settings of a file and what lies above it, and all that is wrong with them."""
    found = resolve([file.values, above], secret_names(), BASE_DIR)
    problems = [f"{name}: {reason}." for name, reason in REFUSED.items() if name in found.values]
    problems += found.problems
    own = {name.upper() for name, value in above.items() if value and are_shown}
    shown = (own if file.is_encrypted or not are_shown else set(found.values)) - found.from_files
    env = None
    try:
        env = Env(_env_file=None, **_decode(found.values))
    except SettingsError as error:  # it names the field and quotes nothing
        name = (re.findall(r'field "(\w+)"', str(error)) or ["a variable"])[0].upper()
        problems.append(f"{name}: Expected JSON.")
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [_describe(detail, shown, found.values) for detail in details]
    return env, problems


def _decode(values: Mapping[str, str]) -> dict[str, Any]:
    """Values by field, with JSON read where a field asks for it."""
    source = EnvSettingsSource(Env)
    source.env_vars = {name.lower(): value for name, value in values.items()}
    return source()


def _describe(detail: Any, shown: set[str], values: Mapping[str, str]) -> str:
    field = str(detail["loc"][0])
    name, message = field.upper(), detail["msg"].removeprefix("Value error, ")
    # A secret's value must not reach the terminal or a log.
    if name in shown and not (field in Env.model_fields and may_hold_secret(field)):
        return f"{name}: {message}, got {detail['input']!r}."
    words = re.split(r"[\s,]+", values.get(name, ""))
    if detail["type"] == "value_error" and any(word and word in message for word in words):
        message = "Expected another value, see docs/settings.md"
    return f"{name}: {message}."
