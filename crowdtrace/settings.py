"""Every setting of CrowdTrace, read strictly from the environment.

A secret may also be given as `NAME_FILE`, the path of a file with it. Without `CROWDTRACE_EMBEDDED` (set by `embedded`,
which creates its own secrets), a missing secret prevents the start.
"""

import base64
import re
import sys
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from common.database import PatientConnection
from exports.engine.limits import Limits

BASE_DIR = Path(__file__).resolve().parent.parent


class _Environment(environ.FileAwareEnv):  # type: ignore[misc]
    """The environment. A value that cannot be parsed prevents the start; the error names its variable only."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except OSError:
            raise ImproperlyConfigured(f"Cannot read the file that {var}_FILE names.") from None
        except ValueError:
            raise ImproperlyConfigured(f"{var} has a value of the wrong type; see docs/operators.md.") from None


env = _Environment()

EMBEDDED: bool = env.bool("CROWDTRACE_EMBEDDED", default=False)
# Tools that only read the code (type checker, schema, translations) import settings with no environment at all.
CONFIGURED: bool = "DATABASE_URL" in env.ENVIRON or "DATABASE_URL_FILE" in env.ENVIRON


def _secret(name: str, purpose: str) -> str:
    value: str = env.str(name, default="")
    if not value:
        if not CONFIGURED:
            return base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE): {purpose}.")
    return value


def _key(name: str, purpose: str) -> bytes:
    text = _secret(name, purpose)
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(f"{name} must be 32 bytes in base64url; it is {purpose}.")
    return key


# Secrets -------------------------------------------------------------------------------------------------------------
SECRET_KEY = _secret("SECRET_KEY", "it signs sessions and forms, any 50 random characters do")
PEPPER = _key("PEPPER", "the key of every keyed hash in the database, 32 random bytes in base64url")
MASTER_KEY = _key("MASTER_KEY", "it encrypts names, issuer keys and second factors at rest and derives the root key")

DEBUG: bool = env.bool("DEBUG", default=False)
_hosts_default = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=_hosts_default)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The URL at which visitors reach the deployment; posters and personal QR codes contain it.
PUBLIC_ORIGIN: str = env.str("PUBLIC_ORIGIN", default="")

# Apps ----------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.postgres",
    "crowdtrace.site",
    "crowdtrace.town",
    "exports",
    "risk",
    "passes",
    "venues",
    "common",
    "django.contrib.admin.apps.SimpleAdminConfig",  # the operator's site is loaded with its URLs
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "common.web.middleware.SecurityHeadersMiddleware",
    "common.web.cross_origin.CrossOriginMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "common.web.compression.StaticFilesMiddleware",
    "common.web.compression.PageCompressionMiddleware",
    "common.web.middleware.BodyLimitMiddleware",
    "common.web.middleware.ProblemMiddleware",
    "common.web.middleware.DoorsFirstMiddleware",  # before LocaleMiddleware, which looks at all URLs of the list
    "common.web.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "common.web.middleware.CsrfMiddleware",
    "common.web.middleware.AuthenticationMiddleware",
    "common.web.middleware.MessageMiddleware",
]
ROOT_URLCONF = "crowdtrace.urls"
DOORS_URLCONF = "passes.urls_doors"
DOORS_URLS = {
    "/api/v1/scans",
    "/api/v1/scans/batch",
    "/api/v1/device/bundle",
    "/api/v1/tickets",
    "/api/v1/passes",
    "/.well-known/ticket-keys.json",
}
# Functions that may respond to a POST without the processing that only pages need (`common.web.short_ways`).
SHORT_WAYS = {"/api/v1/scans": "passes.api.door.answer_scan"}
WSGI_APPLICATION = "crowdtrace.wsgi.application"  # for `runserver`; the web server uses `crowdtrace.asgi`
APPEND_SLASH = False
CSRF_FAILURE_VIEW = "common.web.problems.csrf_failure"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Stores --------------------------------------------------------------------------------------------------------------
_database = env.str("DATABASE_URL", default="postgresql://unset@127.0.0.1:1/unset")
if not re.match(r"(postgres|postgresql)://[^/]*/[^/?]", _database):
    raise ImproperlyConfigured("DATABASE_URL must be a URL like postgresql://user:password@host:5432/name.")
DATABASES = {
    "default": env.db_url_config(_database)
    | {
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "application_name": "crowdtrace",
            # One pool per process: threads come and go, connections stay. One connection for each thread of WEB_LANES,
            # so that no lane waits for another here. Repeated statements are prepared at their third use, so that
            # PostgreSQL keeps their plans; without it, planning a scan's statement took longer than running it. If the
            # database is unavailable, the next request tries again, without growing pauses.
            "pool": {
                "connection_class": PatientConnection,
                "min_size": 0,
                "max_size": env.int("DATABASE_POOL", default=14),
                "timeout": 5,
                "reconnect_timeout": 1,
            },
            # Requests (`common.database`) and connecting both give up on a server that does not respond, as does the
            # system if the network is gone.
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
            "server_side_binding": True,
            "prepare_threshold": env.int("DATABASE_PREPARE_THRESHOLD", default=3) or None,
        },
    }
}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = env.str("REDIS_URL", default="") or ("" if CONFIGURED else "redis://127.0.0.1:1/0")
if not REDIS_URL:
    raise ImproperlyConfigured("Set REDIS_URL (or REDIS_URL_FILE): the task broker, redis://:password@host:6379/0.")
# A request never waits longer for a Valkey that does not respond; most requests can do without one.
STORE_SECONDS = 0.5
# Counters of rate limits and the daily key of their names: a Valkey that writes nothing to disk.
LIMITS_URL: str = env.str("LIMITS_URL", default=REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "crowdtrace",
        "OPTIONS": {"socket_timeout": STORE_SECONDS, "socket_connect_timeout": STORE_SECONDS},
    }
}
# file:///folder or s3://bucket/prefix
LAKE_URL: str = env.str("LAKE_URL", default=f"file://{BASE_DIR / '.crowdtrace' / 'lake'}")
# An S3 server other than Amazon's, and its region; credentials are found as AWS tools find them.
LAKE_S3_ENDPOINT: str = env.str("LAKE_S3_ENDPOINT", default="")
LAKE_S3_REGION: str = env.str("LAKE_S3_REGION", default="us-east-1")
# Catalogue of the lake's tables: `postgres` (the deployment's own database) or `glue`.
LAKE_CATALOGUE: str = env.str("LAKE_CATALOGUE", default="postgres")
if LAKE_CATALOGUE not in ("postgres", "glue"):
    raise ImproperlyConfigured("LAKE_CATALOGUE must be postgres or glue.")
LAKE_GLUE_ENDPOINT: str = env.str("LAKE_GLUE_ENDPOINT", default="")
# The role that the web server assumes to read the verified tier for an approved organisation.
LAKE_VERIFIED_ROLE: str = env.str("LAKE_VERIFIED_ROLE", default="")

# Time and language ---------------------------------------------------------------------------------------------------
# The zone whose calendar days are epochs. Rows are in UTC; venues have a time zone for their opening hours.
DEPLOYMENT_TIME_ZONE: str = env.str("CROWDTRACE_TIME_ZONE", default="UTC")
try:
    ZoneInfo(DEPLOYMENT_TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError):
    raise ImproperlyConfigured("CROWDTRACE_TIME_ZONE must be the name of a time zone, like America/New_York.") from None
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]

# Accounts of people who run venues ------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/owner/login"
LOGIN_REDIRECT_URL = "/owner"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=not EMBEDDED)
# Without a mail server nothing is sent. The embedded mode stores mails as files (`embedded.runtime`); elsewhere they
# are dropped, because a log would contain addresses and the links that open an account. Pages mention this.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="dummymail://")
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = (
    EMAIL_CONFIG["EMAIL_BACKEND"],
    EMAIL_CONFIG.get("EMAIL_HOST"),
    EMAIL_CONFIG.get("EMAIL_PORT"),
)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL_CONFIG.get("EMAIL_HOST_USER"), EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = bool(EMAIL_CONFIG.get("EMAIL_USE_TLS"))
EMAIL_FILE_PATH = EMAIL_CONFIG.get("EMAIL_FILE_PATH") or None
# Recipients of a mail for each internal error; it contains no more than the log.
ADMINS = [("", address) for address in env.list("ADMINS", default=[])]
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="crowdtrace@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# The authority that signed the certificate of `make run LAN=1`, for devices that are to trust it; otherwise empty.
AUTHORITY_FILE = env.str("CROWDTRACE_AUTHORITY", default="")

# Transport -----------------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0 if EMBEDDED else 31_536_000)
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
# Number of trusted proxies in front that append to X-Forwarded-For; 0: the peer's own address is used.
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
BODY_LIMIT_BYTES = 64 * 1024
BODY_LIMIT_BYTES_BY_PATH = {
    "/api/v1/scans/batch": 2 * 1024 * 1024,
    "/owner/poster": 1100 * 1024,  # a logo of a megabyte, and the form around it
    "/api/v1/tickets": 96 * 1024,  # fifteen sets of sixteen values have 84,000 bytes
}
# The function that renders the page of an error, in the frame of the site.
PROBLEM_PAGE = "crowdtrace.site.errors.error_page"
# Open data, which pages of any origin may read: no cookie or key gives access to anything there.
OPEN_TO_OTHER_ORIGINS = (
    "/api/v1/datasets",
    "/api/v1/queries",
    "/api/v1/radar",
    "/api/schema/",
    "/open-data",
    "/radar.csv",
)
# URL prefixes of protocols with their own format of errors: the function that turns a problem into such a response.
PROBLEM_FORMS = {"/athena": "exports.athena.views.refusal"}
DATA_UPLOAD_MAX_MEMORY_SIZE = max(BODY_LIMIT_BYTES_BY_PATH.values())

# Threads of a web process, in lanes: a request uses a thread of its own lane only (`common.web.front`). `queue`
# requests may wait for one, for `seconds`; further ones are refused. A thread waits `database` seconds for the response
# to one statement. Doors never wait behind pages, nor live scans
# behind scans that were queued in a device for hours.
WEB_LANES: dict[str, dict[str, Any]] = {
    "doors": {"threads": 4, "queue": 128, "seconds": 15.0, "database": 10.0},
    "batches": {"threads": 1, "queue": 16, "seconds": 20.0, "database": 30.0},
    "queries": {"threads": 3, "queue": 8, "seconds": 2.0, "database": 10.0},
    "alive": {"threads": 1, "queue": 16, "seconds": 5.0, "database": 2.0},
    "health": {"threads": 1, "queue": 16, "seconds": 5.0, "database": 2.0},
    "pages": {"threads": 4, "queue": 64, "seconds": 5.0, "database": 20.0},
}
WEB_LANE_OF = {
    "/api/v1/scans": "doors",
    "/api/v1/device/bundle": "doors",
    "/api/v1/passes": "doors",
    "/api/v1/tickets": "doors",
    "/.well-known/ticket-keys.json": "doors",
    "/api/v1/scans/batch": "batches",
    "/api/v1/queries": "queries",
    "/data/sql": "queries",
    "/athena": "queries",
    "/healthz": "alive",  # a database that does not respond must not make it look dead
    "/readyz": "health",
    "/metrics": "health",
}
WEB_LANE_OF_OTHERS = "pages"
# When responses to doors are sent, in seconds after the request arrived (`common.web.moments`), because the time that a
# response took would reveal to the door why a light is red. `first` is above the slowest cause and above p99 of a busy
# hour; a random part below `spread` hides the rest.
ANSWER_MOMENTS: dict[str, dict[str, float]] = {
    "/api/v1/scans": {"first": 0.04, "step": 0.02, "spread": 0.01},
    "/api/v1/scans/batch": {"first": 0.04, "per_kib": 0.002, "step": 0.25, "spread": 0.05},
}
# Seconds in which a body must arrive, and in which a client must take the next part of a long response.
BODY_SECONDS: float = env.float("BODY_SECONDS", default=30.0)
ANSWER_SECONDS: float = env.float("ANSWER_SECONDS", default=30.0)
# Seconds after which a connection is closed on which nothing moves, neither request nor response. A query that runs
# twice, to be continued, takes 60.
IDLE_SECONDS: float = env.float("IDLE_SECONDS", default=120.0)
# Memory of a web process for all bodies beyond BODY_LIMIT_BYTES while they are read.
LARGE_BODIES_BYTES = 64 * 1024 * 1024

STATIC_URL = "/static/"
# Files are served from their source folders; a folder filled by `collectstatic` comes first.
_collected = BASE_DIR / "staticfiles"
STATIC_ROOT = _collected if _collected.is_dir() or "collectstatic" in sys.argv else None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# API -----------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["common.web.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.web.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": ["common.web.throttles.AddressThrottle"],
    "DEFAULT_PAGINATION_CLASS": "common.web.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "common.web.openapi.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "common.web.throttles.exception_handler",
    "UNAUTHENTICATED_USER": None,
    # The format of a response is never chosen in the URL; `?format=` is an unknown parameter like any other.
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CrowdTrace",
    "DESCRIPTION": "How risky a crowd is, without learning who is in it.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "LICENSE": {"name": "Apache-2.0"},
    "ENUM_NAME_OVERRIDES": {
        "Profile": ["cautious", "standard", "relaxed"],
        "ScanResult": ["Approved", "Declined"],
        "TestResult": ["positive", "negative"],
        "VenueKind": "venues.kinds.VenueKind",
        "OrganisationKind": "venues.kinds.OrganisationKind",
        "DeviceKind": "venues.kinds.DeviceKind",
    },
}
# Requests per window; the embedded mode allows ten times as many. A stadium has one IP address.
_many = 10 if EMBEDDED else 1
THROTTLES = {
    "device": f"{100 * _many}/second",
    "address": f"{50 * _many}/second",
    "login": f"{10 * _many}/minute",
    # Wrong passwords for one account, from all IP addresses together; `venues.guesses` explains why nobody is locked
    # out.
    "account": "20/hour",
    "enrol": f"{10 * _many}/minute",
    # Scans that were queued in a device, each counted: 100 a second over a minute, in batches of up to 1,000.
    "queued": f"{6000 * _many}/minute",
    "query": f"{60 * _many}/minute",
    # Registrations and draws, by IP address.
    "draw": f"{25 * _many}/second",
    # Registrations, by network (/24 or /48). It only slows down: the dataset is protected by the cut of refusals.
    "registration": f"{40 * _many}/second",
    # What one key requests again, and the CPU milliseconds that all draws together may take: half a core, with room for
    # one draw of fifteen days. Both apply in the embedded mode too, so that nobody can fill the cores with them.
    "repeat": "3/minute",
    "signing": "1500/3 second",
    # One code at one venue: the time of its responses reveals nothing, unless a server is too busy for the moment at
    # which they are sent; then many repeats might. It applies in the embedded mode too.
    "code": "20/minute",
    # Uploads of one device, for the same reason: each may contain that code again.
    "batch": "60/minute",
    # Invitation codes tried at one venue, since an attempt spends no ticket.
    "invitation": f"{600 * _many}/minute",
    # Kilobytes that queries of Athena's protocol write for one client, including their texts.
    "athena-results": "65536/hour",
    # Links to one mailbox, and links requested by one account, so that nobody fills a stranger's mailbox.
    "mail": f"{5 * _many}/hour",
} | env.dict("THROTTLES", default={})

# What a Prometheus server sends as `Authorization: Bearer` to read /metrics; without it the URL does not exist.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")

# Celery --------------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Worker and schedule wait for the broker as long as it takes.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5.0, "socket_connect_timeout": 5.0}
CELERY_BEAT_SCHEDULER = "common.schedule:SteadyScheduler"
# What was sent is stored at once, so that a schedule that is killed does not send it again.
CELERY_BEAT_SYNC_EVERY = 1
CELERY_TIMEZONE = DEPLOYMENT_TIME_ZONE

# Logs ----------------------------------------------------------------------------------------------------------------
# Only our own sentences: no request line, address, agent, body or local variable ever reaches a handler.
LOG_FORMAT: str = env.str("LOG_FORMAT", default="line")
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured("LOG_FORMAT is line or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"private": {"()": "common.logs.PrivateFilter"}},
    "formatters": {"line": {"()": "common.logs.PrivateFormatter"}, "json": {"()": "common.logs.JsonFormatter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["private"]},
        "mail": {
            "class": "django.utils.log.AdminEmailHandler",
            "level": "ERROR",
            "formatter": "line",
            "filters": ["private"],
        },
    },
    "root": {"handlers": ["stderr", "mail"] if ADMINS else ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "ERROR", "propagate": False},
        "django.db.backends": {"handlers": [], "level": "ERROR", "propagate": False},
        "sqlglot": {"handlers": [], "level": "CRITICAL", "propagate": False},  # its warnings quote the caller's text
        "_granian": {"handlers": [], "propagate": True},
        "granian.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
DEFAULT_EXCEPTION_REPORTER = "common.logs.PrivateReporter"

# CrowdTrace ----------------------------------------------------------------------------------------------------------
PATHOGEN: str = env.str("CROWDTRACE_PATHOGEN", default="sars-cov-2-omicron")
# Share of the people present who check in: one figure, or the lowest, the likely and the highest, 0.2,0.3,0.5.
ADOPTION: list[float] = env.list("CROWDTRACE_ADOPTION", cast=float, default=[])
if len(ADOPTION) not in (0, 1, 3) or sorted(ADOPTION) != ADOPTION or not all(0 < share <= 1 for share in ADOPTION):
    raise ImproperlyConfigured("CROWDTRACE_ADOPTION must be a share above 0 and up to 1, or three, lowest first.")
# Known active cases per person if no series provides them: people whose positive result was reported in the last ten
# days. 0.0008 corresponds to 8 new cases per 100,000 people a day.
KNOWN_ACTIVE_PER_PERSON: float = env.float("CROWDTRACE_KNOWN_ACTIVE_PER_PERSON", default=0.0008)
if not 0 <= KNOWN_ACTIVE_PER_PERSON <= 1:
    raise ImproperlyConfigured("CROWDTRACE_KNOWN_ACTIVE_PER_PERSON must be a share from 0 to 1.")
# Unit of displayed and entered temperatures: F or C. The API and the database use degrees Fahrenheit.
TEMPERATURE_UNIT: Literal["F", "C"] = env.str("CROWDTRACE_TEMPERATURE_UNIT", default="F")
if TEMPERATURE_UNIT not in ("F", "C"):
    raise ImproperlyConfigured("CROWDTRACE_TEMPERATURE_UNIT must be F or C.")
# Share of the visitors whom the app asks for the result of a test, whatever it is, by a coin tossed on their phone
# every four weeks; 0 asks nobody.
ASKED_SHARE: float = env.float("CROWDTRACE_ASKED_SHARE", default=0.1)
if not 0 <= ASKED_SHARE <= 1:
    raise ImproperlyConfigured("CROWDTRACE_ASKED_SHARE must be a share from 0 to 1.")
# Whether readings of thermometers and oximeters are stored for the dataset. By default they are used once, at the door.
PUBLISH_READINGS: bool = env.bool("CROWDTRACE_PUBLISH_READINGS", default=False)
# Whether the verified tier is published: real rows in classes of at least 30, for organisations the operator approves.
PUBLISH_VERIFIED_ROWS: bool = env.bool("CROWDTRACE_PUBLISH_VERIFIED_ROWS", default=True)
# What to do at shield 0 and after a positive test: plain words and a URL of the health authority. Without these words,
# pages give general advice.
HEALTH_GUIDANCE: str = env.str("CROWDTRACE_HEALTH_GUIDANCE", default="", multiline=True)
HEALTH_GUIDANCE_URL: str = env.str("CROWDTRACE_HEALTH_GUIDANCE_URL", default="")
# Epsilon per secret and day of all figures of closed days that venues see, over all venues (docs/privacy.md).
OWNER_STATISTICS_EPSILON: float = env.float("OWNER_STATISTICS_EPSILON", default=0.5)
if not 0 < OWNER_STATISTICS_EPSILON < float("inf"):
    raise ImproperlyConfigured("OWNER_STATISTICS_EPSILON must be a number above 0.")
# Epsilon per secret and day of a release of the open dataset; days add up (docs/privacy.md).
DATASET_EPSILON: float = env.float("DATASET_EPSILON", default=1.0)
if not 0 < DATASET_EPSILON < float("inf"):
    raise ImproperlyConfigured("DATASET_EPSILON must be a number above 0.")
# The publisher of the open dataset, as named in citations.
DATASET_PUBLISHER: str = env.str("DATASET_PUBLISHER", default="CrowdTrace")
# The Monday from which whole weeks are drawn as one; by default each day is drawn separately.
DATASET_WEEKLY_FROM: str = env.str("DATASET_WEEKLY_FROM", default="")
# The folder of a contest that `manage.py benchmark` made; its leaderboard is shown at /data/benchmark.
BENCHMARK_FOLDER: str = env.str("BENCHMARK_FOLDER", default="")
# Backend of Athena's protocol at /athena: `local` (the embedded engine), `forward` (Athena, in the named workgroup, at
# the operator's cost and within its scan limit), or `off`.
ATHENA: str = env.str("ATHENA", default="local" if EMBEDDED else "off")
if ATHENA not in ("local", "forward", "off"):
    raise ImproperlyConfigured("ATHENA must be local, forward or off.")
ATHENA_WORKGROUP: str = env.str("ATHENA_WORKGROUP", default="")
ATHENA_ENDPOINT: str = env.str("ATHENA_ENDPOINT", default="")
# Total size of the results of queries at /athena on the lake's disk, in MiB; the oldest are removed to make room.
ATHENA_RESULTS_MB: int = env.int("ATHENA_RESULTS_MB", default=256)
# Limits of one query that differ from the defaults of `exports.engine.limits.Limits`, such as memory_mb=512: each of
# four queries may use that much at once, and so may one process that waits.
try:
    QUERY_LIMITS = {name: int(value) for name, value in env.dict("QUERY_LIMITS", default={}).items()}
except ValueError:
    raise ImproperlyConfigured("QUERY_LIMITS must have whole numbers, such as memory_mb=512,parallel=2.") from None
if not QUERY_LIMITS.keys() <= {limit.name for limit in fields(Limits)}:
    raise ImproperlyConfigured("QUERY_LIMITS has a name that is not in exports/engine/limits.py.")
# PEM files of the certificate and key that sign wallet files. The embedded mode creates its own; elsewhere, wallet
# files are not offered without them.
PKPASS_CERTIFICATE_FILE: str = env.str("PKPASS_CERTIFICATE_FILE", default="")
PKPASS_KEY_FILE: str = env.str("PKPASS_KEY_FILE", default="")

if CONFIGURED and not EMBEDDED and DEBUG and "runserver" not in sys.argv:
    raise ImproperlyConfigured("DEBUG is for a developer's machine; unset it if DATABASE_URL is set.")
