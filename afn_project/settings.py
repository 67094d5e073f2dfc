"""Django's settings, all of them. What may differ between places comes from the environment (``env.py``)."""

import gc
import os
from typing import Any

import redis.exceptions
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy
from kombu import Exchange, Queue
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from . import secret_key
from .databases import MAIN, databases
from .email_urls import read_email_url
from .env import BASE_DIR, read_env
from .logs.config import logging_config
from .redis_urls import cache_url, queue_url

# Half a million objects are made while a process starts, and all of them stay. Python would look for garbage
# among them after every 700 new ones, which takes a seventh of the start.
gc.set_threshold(20_000, 10, 10)

# Prometheus's client takes an empty one, as compose and systemd leave it, for the current folder and writes
# its files there. It is not imported yet.
if os.environ.get("PROMETHEUS_MULTIPROC_DIR") == "":
    del os.environ["PROMETHEUS_MULTIPROC_DIR"]

env = read_env()


def _secret(value: Any) -> str:
    return value.get_secret_value() if value else ""


def _secret_key() -> str:
    """SECRET_KEY of the environment, else the file that `quickstart` wrote for this checkout."""
    if key := _secret(env.secret_key) or secret_key.read():
        return key
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Set it to 50 random characters, or run `python manage.py quickstart`, which "
        "writes one for this checkout to var/secret_key."
    )


def _cache() -> dict[str, Any]:
    if not REDIS_URL:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    backoff = ExponentialBackoff(cap=0.2, base=env.redis_retry_delay / 1000)
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "afn",
        "OPTIONS": {
            # Not pickle, django-redis's own choice: who can write to Redis could run code here.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
            # Not after a time-out: what does not answer is not asked again by a request that waits.
            "CONNECTION_POOL_KWARGS": {
                "retry": Retry(backoff, env.redis_max_retries, (redis.exceptions.ConnectionError,))
            },
        },
    }


def _session_engine() -> str:
    if env.afn_sessions == "database":
        return "django.contrib.sessions.backends.db"
    if REDIS_URL:
        return "afn_project.sessions"
    raise ImproperlyConfigured("AFN_SESSIONS: expected REDIS_URL beside cached_db, got none.")


REDIS_URL = cache_url(env)
ENVIRONMENT = env.environment
DEBUG = env.debug
SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = _secret(env.secret_key_fallbacks).split()
ALLOWED_HOSTS = env.allowed_hosts
CSRF_TRUSTED_ORIGINS = env.csrf_trusted_origins

INSTALLED_APPS = [
    "afn_project.apps.AfnConfig",  # first: its icon font takes the place of unfold's
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_prometheus",
    "ninja",
    "corsheaders",
    "django_celery_beat",
    "vectors",
    "prompts",
    "ops",
]
MIDDLEWARE = [
    "afn_project.unread_bodies.UnreadBodyMiddleware",
    "ops.request_ids.RequestIdMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "afn_project.allowed_networks.AllowedNetworksMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "afn_project.content_security.ContentSecurityMiddleware",
    "afn_project.console_only.GZipMiddleware",
    "afn_project.head.HeadMiddleware",
    "prompts.serving.responses.ServingMiddleware",
    "ops.audit.middleware.AuditMiddleware",
    "afn_project.api_errors.JsonErrorsMiddleware",
    "afn_project.bad_input.BadInputMiddleware",
    "afn_project.database_errors.DatabaseErrorsMiddleware",
    "afn_project.replicas.ReadYourWritesMiddleware",
    "afn_project.idempotency.IdempotencyMiddleware",
    "afn_project.static_files.StaticFilesMiddleware",
    "afn_project.console_only.SessionMiddleware",
    "afn_project.console_only.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "afn_project.console_only.AuthenticationMiddleware",
    "afn_project.console_only.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "afn_project.urls"
LOGIN_REDIRECT_URL = "admin:index"  # for who opens the login itself
WSGI_APPLICATION = "afn_project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = databases(env)
DATABASE_ROUTERS = ["afn_project.replicas.ReplicaRouter"] if "replica" in DATABASES else []
CACHES = {"default": _cache()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = int(env.afn_max_body_mb * 1_000_000)

CELERY_BROKER_URL = queue_url(env) or "memory://localhost/"
CELERY_TASK_ALWAYS_EAGER = not REDIS_URL
CELERY_TASK_EAGER_PROPAGATES = True
# Nothing but JSON is taken from the queue, where a pickle would be code. Nobody asks for results: what a task
# has done is in the database.
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = CELERY_EVENT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# First an exception in the task, by which it can give back what it holds; then the end of its process.
CELERY_TASK_SOFT_TIME_LIMIT = int(env.afn_task_time_limit * 0.95)
CELERY_TASK_TIME_LIMIT = env.afn_task_time_limit
# A request that cannot reach the broker says so soon: what it wanted done is found by the next sweep.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 1,
    "interval_start": 0.0,
    "interval_step": 0.05,
    "interval_max": 0.05,
    "socket_connect_timeout": 0.5,
    "socket_timeout": 2.0,  # a worker waits for one second at a time
    # So long after a worker took a task that it has not done, another one gets it: never while the first may
    # still be at it. Looked for every two seconds, where Celery's default is 100.
    "visibility_timeout": env.afn_task_time_limit + 60,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.0, "interval_max": 0.05}
# What takes long has a queue of its own, for which a worker of its own can be started (docs/jobs.md).
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("celery", "celery-jobs")]
CELERY_TASK_ROUTES = {"ops.tasks.run_job": {"queue": "celery-jobs", "routing_key": "celery-jobs"}}
# What recurs stands in the database, where the console changes it. There is no CELERY_BEAT_SCHEDULE, which
# would be written over that at each start.
CELERY_BEAT_SCHEDULER = "ops.beat:OneBeat"
CELERY_TIMEZONE = env.time_zone

# E-mails of alerts. Without a server none is sent, and their channels say so.
EMAIL_HOST = ""
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.afn_email_from
if env.afn_email_url:
    _mail = read_email_url(env.afn_email_url)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.is_tls, _mail.starts_tls

AUTH_USER_MODEL = "prompts.User"
AUTHENTICATION_BACKENDS = ["prompts.auth.UsernameOrEmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ja", "日本語")]  # each in itself, for who cannot read the other
LOCALE_PATHS = [BASE_DIR / "afn_project" / "locale"]
FORMAT_MODULE_PATH = ["afn_project.formats"]
TIME_ZONE = env.time_zone
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Without collectstatic, whitenoise finds the files in the apps: the same pages on a laptop and in a company.
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "afn_project.static_files.CompressedStorage"},
}

SESSION_ENGINE = _session_engine()
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.afn_https
SECURE_HSTS_SECONDS = 31_536_000 if env.afn_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.afn_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.afn_https else None
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER_FILTER = "afn_project.error_reports.Filter"

LOGGING = logging_config(env, SECRET_KEY)

# AFN's own
AFN_SCHEDULE = env.afn_schedule
AFN_METRICS_TOKEN = _secret(env.afn_metrics_token)
AFN_TRUST_LOOPBACK = env.afn_trust_loopback
AFN_READY_NEEDS = env.afn_ready_needs
AFN_SERVING_CACHE_MB = env.afn_serving_cache_mb
AFN_READ_YOUR_WRITES = env.afn_read_your_writes
AFN_SERVER_CONNECTIONS = env.afn_server_connections
AFN_PROCESSES = env.afn_processes
AFN_MAIN_ENVIRONMENT = MAIN[env.environment]
AFN_DATABASE_FILE = env.afn_database_file
AFN_ENVIRONMENTS_DIR = env.afn_environments_dir
AFN_RUN_DIR = env.afn_run_dir
AFN_BACKUPS_DIR = env.afn_backups_dir
AFN_BACKUPS_KEEP = env.afn_backups_keep
AFN_BACKUP_KEY = _secret(env.afn_backup_key)
AFN_BACKUP_RECIPIENTS = env.afn_backup_recipients
AFN_BACKUP_REDIS_URL = env.afn_backup_redis_url or ""
AFN_BACKUPS_S3_BUCKET = env.afn_backups_s3_bucket
AFN_BACKUPS_S3_PREFIX = env.afn_backups_s3_prefix or ""
AFN_BACKUPS_S3_ENDPOINT = env.afn_backups_s3_endpoint
AFN_BACKUPS_S3_REGION = env.afn_backups_s3_region
AFN_BACKUPS_S3_ACCESS_KEY = _secret(env.afn_backups_s3_access_key)
AFN_BACKUPS_S3_SECRET_KEY = _secret(env.afn_backups_s3_secret_key)
AFN_PROTECTED_ENVIRONMENTS = env.afn_protected_environments
AFN_SQLD_ADMIN_URL = env.afn_sqld_admin_url
AFN_SQLD_ADMIN_KEY = _secret(env.afn_sqld_admin_key)
AFN_TOKEN_KEYS = env.afn_token_keys
TURSO_API_TOKEN = _secret(env.turso_api_token)
TURSO_ORGANIZATION = env.turso_organization
TURSO_GROUP = env.turso_group
TURSO_API_URL = env.turso_api_url
AFN_EMBEDDER = env.afn_embedder
AFN_EMBEDDING_MODEL = env.afn_embedding_model
OPENAI_API_KEY = _secret(env.openai_api_key)
OPENAI_BASE_URL = env.openai_base_url
AFN_LLM_API_KEY = _secret(env.afn_llm_api_key)
AFN_LLM_BASE_URL = env.afn_llm_base_url
AFN_LLM_MODEL = env.afn_llm_model
AFN_LLM_PRICES = env.afn_llm_prices
VECTOR_DIMENSION = env.vector_dimension
VECTOR_METRIC = env.vector_metric
VECTOR_INDEX_TYPE = env.vector_index_type
DB_ECHO = env.db_echo
AFN_SLOW_QUERY_SECONDS = env.afn_slow_query_seconds
AFN_PUBLIC_READ = env.afn_public_read
AFN_RATE_LIMIT = env.afn_rate_limit
AFN_ANONYMOUS_RATE_LIMIT = env.afn_anonymous_rate_limit
AFN_WRONG_KEY_LIMIT = env.afn_wrong_key_limit
AFN_REALTIME_CLIENTS = env.afn_realtime_clients
AFN_REALTIME_CLIENTS_PER_USER = env.afn_realtime_clients_per_user
AFN_LOGIN_FAILURES = env.afn_login_failures
AFN_LOGIN_LOCK_MINUTES = env.afn_login_lock_minutes
AFN_PROXIES = env.afn_proxies
AFN_ALLOWED_NETWORKS = env.afn_allowed_networks
AFN_CONSOLE_NETWORKS = env.afn_console_networks
AFN_API_NETWORKS = env.afn_api_networks
AFN_PUBLIC_READ_IS_SET = "afn_public_read" in env.model_fields_set
AFN_CORS_ORIGINS = CORS_ALLOWED_ORIGINS = env.afn_cors_origins
AFN_OUTGOING_ALLOWED = env.afn_outgoing_allowed
CLERK_ISSUER = env.clerk_issuer
CLERK_JWKS_URL = env.clerk_jwks_url
CLERK_AUDIENCE = env.clerk_audience
CLERK_AUTHORIZED_PARTIES = env.clerk_authorized_parties
CLERK_LEEWAY = env.clerk_leeway
CLERK_CREATE_USERS = env.clerk_create_users
CORS_ALLOW_HEADERS = (*default_headers, "idempotency-key")
CORS_URLS_REGEX = r"^/api/"  # never the console; and browsers send no cookies along, only keys

# The console (django-unfold); names with dots are functions of the request
UNFOLD = {
    "SITE_TITLE": "AFN",
    "SITE_HEADER": "AFN",
    "SITE_SUBHEADER": gettext_lazy("Prompt registry"),
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "6px",
    "SITE_ICON": "prompts.admin.look.icon",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "prompts.admin.look.icon"},
        {"rel": "alternate icon", "sizes": "16x16 32x32 48x48", "href": "/favicon.ico"},
    ],
    "STYLES": ["prompts.admin.look.stylesheet"],
    "ENVIRONMENT": "prompts.admin.look.environment",
    "SIDEBAR": {"navigation": "prompts.admin.look.menu"},
    "DASHBOARD_CALLBACK": "ops.home.pages.home",
    "COLORS": {
        "primary": {  # indigo
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(65% .2 277.0)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        }
    },
}
