"""The one settings file. Everything that differs between places comes from the environment.

What each variable means stands beside its line. A wrong environment is refused at start, all mistakes in one list.
"""

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from brainops import inbound_mail, openapi, rates, theme
from brainops.core.environment import Environment
from brainops.core.identity_providers import read_providers

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(os.environ)

# On: convenient defaults and error pages with details, for work on BrainOps itself. Never on a server others reach.
DEBUG = env.flag("BRAINOPS_DEBUG", default=False)


def _when_debugging(value: str) -> str | None:
    """A default that exists only while DEBUG is on; without it the variable is required."""
    return value if DEBUG else None


# --- Secrets -------------------------------------------------------------------------------------
# Signs sessions, tokens and the audit chain. At least 50 characters, as Django's own check asks for.
SECRET_KEY = env.text(
    "BRAINOPS_SECRET_KEY", _when_debugging("for-debugging-only-" + "not-a-secret-" * 3), min_length=50
)
# Earlier secret keys, comma separated: what they signed stays valid while they stand here.
SECRET_KEY_FALLBACKS = env.names("BRAINOPS_SECRET_KEY_FALLBACKS", [])
# Encrypts stored secrets: "id:key[,id:key…]", 32 bytes each in URL-safe base64. The first encrypts, all decrypt.
BRAINOPS_ENCRYPTION_KEYS = env.key_ring("BRAINOPS_ENCRYPTION_KEYS", _when_debugging("debug:" + "A" * 43))
# Former encryption keys in the same form: they decrypt nothing and only verify the audit log's older entries.
BRAINOPS_RETIRED_KEYS = env.key_ring("BRAINOPS_RETIRED_KEYS", "")

# --- Addresses -----------------------------------------------------------------------------------
# Where people and webhook senders reach this installation; links and the cookies' Secure flag follow it.
BRAINOPS_PUBLIC_URL = env.url("BRAINOPS_PUBLIC_URL", "http://127.0.0.1:8000", schemes=("http", "https")).rstrip("/")
ALLOWED_HOSTS = env.names("BRAINOPS_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
# Proxies in front that append to X-Forwarded-For. 0 = the header is ignored, the peer is the client.
BRAINOPS_TRUSTED_PROXIES = env.integer("BRAINOPS_TRUSTED_PROXIES", 0, low=0, high=10)
# Private targets that workflows may call: "host:port,…". Everything not public is refused without it.
BRAINOPS_EGRESS_ALLOW = env.names("BRAINOPS_EGRESS_ALLOW", [])
BRAINOPS_FILE_ROOTS = env.names("BRAINOPS_FILE_ROOTS", [])  # folders that file triggers may watch (core/file_roots.py)
# Opens /internal/metrics as `Authorization: Bearer …`. Not set = the page does not exist.
BRAINOPS_METRICS_TOKEN = env.text("BRAINOPS_METRICS_TOKEN", "")

_public = urlsplit(BRAINOPS_PUBLIC_URL)
_is_https = _public.scheme == "https"
if _public.hostname and _public.hostname not in ALLOWED_HOSTS and "*" not in ALLOWED_HOSTS:
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, _public.hostname]

# --- Mail ----------------------------------------------------------------------------------------
# smtp://user:password@host:587 (STARTTLS; ?tls=none without) or smtps://…:465. Not set = no mail is sent: invitations
# answer with their link instead.
_mail_server = env.mail_server("BRAINOPS_EMAIL_URL")
# What mails say they are from: "BrainOps <brainops@example.com>".
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("BRAINOPS_EMAIL_FROM", "" if _mail_server else "brainops@localhost")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _mail_server else 'dummy'}.EmailBackend"
EMAIL_TIMEOUT = 10  # seconds; a request waits for it
EMAIL_HOST = _mail_server.get("EMAIL_HOST", "")
EMAIL_PORT = _mail_server.get("EMAIL_PORT", 0)
EMAIL_HOST_USER = _mail_server.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail_server.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL = _mail_server.get("EMAIL_USE_SSL", False)
EMAIL_USE_TLS = _mail_server.get("EMAIL_USE_TLS", False)
if _mail_server and "@" not in DEFAULT_FROM_EMAIL:
    env.refuse("BRAINOPS_EMAIL_FROM must hold an address that mails are from, since BRAINOPS_EMAIL_URL is set.")

# What comes in for e-mail triggers (brainops/inbound_mail.py, docs/email-triggers.md).
BRAINOPS_INBOUND_MAIL = inbound_mail.read_inbound_mail(env)

# --- Database and broker -------------------------------------------------------------------------
# postgres://user:password@host:5432/name
DATABASES = {"default": env.database("DATABASE_URL", _when_debugging("postgres://brainops@127.0.0.1:5432/brainops"))}
# Milliseconds a statement may take; 0 = no limit (workers, commands). The web process sets 30 seconds.
_statement_ms = env.integer("BRAINOPS_STATEMENT_TIMEOUT_MS", 0, low=0, high=3_600_000)
DATABASES["default"] |= {
    "ENGINE": "brainops.core.postgres",  # Django's own, with a liveness check that costs no round trip
    "CONN_MAX_AGE": 600,  # seconds; a connection costs 12-18 ms, so keep it
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        "connect_timeout": 3,  # seconds until "PostgreSQL is away" is known
        "tcp_user_timeout": 10_000,  # milliseconds until a vanished host counts as gone
        "application_name": "brainops",
        "gssencmode": "disable",  # the Kerberos probe crashes forked processes on macOS and costs a round trip
        # jit and parallel workers cost 10-100 ms to start, more than our statements take; trigrams: how alike a
        # misspelt word must be, of 0 to 1, to be found
        "options": f"-c jit=off -c max_parallel_workers_per_gather=0 -c statement_timeout={_statement_ms} "
        "-c pg_trgm.word_similarity_threshold=0.37",
        **DATABASES["default"].get("OPTIONS", {}),
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BRAINOPS_WATCHED_MODELS = env.names("BRAINOPS_WATCHED_MODELS", ())  # whose changes may start runs: shop.Order
# redis://[:password@]host:6379/0 (rediss:// for TLS, unix:// is not supported)
REDIS_URL = env.url("REDIS_URL", _when_debugging("redis://127.0.0.1:6379/0"), schemes=("redis", "rediss"))
# Starts every key and queue name, so that several installations may share a server.
BRAINOPS_REDIS_PREFIX = env.text("BRAINOPS_REDIS_PREFIX", "brainops")

# --- The engine's numbers ------------------------------------------------------------------------
BRAINOPS_WORKER_SLOTS = env.integer("BRAINOPS_WORKER_SLOTS", 32, low=1, high=1000)  # runs at once in a worker process
BRAINOPS_INTERACTIVE_SLOTS = env.integer("BRAINOPS_INTERACTIVE_SLOTS", 4, low=1, high=1000)  # beside them, see queues
BRAINOPS_STEP_THREADS = env.integer("BRAINOPS_STEP_THREADS", 32, low=1, high=1000)  # for attempts beside each other
BRAINOPS_RUN_PARALLEL = env.integer("BRAINOPS_RUN_PARALLEL", 8, low=1, high=100)  # of them for one run
BRAINOPS_HEARTBEAT_SECONDS = env.number("BRAINOPS_HEARTBEAT_SECONDS", 2, low=0.1, high=60)
BRAINOPS_DEAD_SECONDS = env.number("BRAINOPS_DEAD_SECONDS", 10, low=0.5, high=600)  # without a heartbeat
# Request threads of a web process (the Procfile's --blocking-threads); at most half of them wait for a run's result.
BRAINOPS_WEB_THREADS = env.integer("BRAINOPS_WEB_THREADS", 16, low=1, high=512)
BRAINOPS_TICK_SECONDS = env.number("BRAINOPS_TICK_SECONDS", 1, low=0.1, high=60)
BRAINOPS_MIN_INTERVAL_SECONDS = env.number("BRAINOPS_MIN_INTERVAL_SECONDS", 10, low=10, high=86_400)  # of schedules
if BRAINOPS_DEAD_SECONDS < 3 * BRAINOPS_HEARTBEAT_SECONDS:
    env.refuse(
        f"BRAINOPS_DEAD_SECONDS must be at least three heartbeats (3 × {BRAINOPS_HEARTBEAT_SECONDS:g} s), "
        f"got {BRAINOPS_DEAD_SECONDS:g}: one slow moment would count a living worker as dead."
    )
# How long a stopping worker waits for steps under way; what is left then is recovered by others.
BRAINOPS_DRAIN_SECONDS = env.number("BRAINOPS_DRAIN_SECONDS", 30, low=1, high=3600)
# On: workflows may hold Python (docs/code-steps.md). It runs in locked processes of its own, this many at once in
# each worker process; each takes some 35 MB while it stands ready.
BRAINOPS_CODE_STEPS = env.flag("BRAINOPS_CODE_STEPS", default=False)
BRAINOPS_CODE_PROCESSES = env.integer("BRAINOPS_CODE_PROCESSES", 4, low=1, high=64)
# Values larger than this as JSON stand beside the rows of a run, compressed (docs/payloads-and-retention.md).
BRAINOPS_INLINE_BYTES = env.integer("BRAINOPS_INLINE_BYTES", 64 << 10, low=1024, high=1 << 20)
BRAINOPS_RELEASE = env.text("BRAINOPS_RELEASE", "")  # shown beside each worker, to see a deploy roll
BRAINOPS_EVENT_DAYS = env.integer("BRAINOPS_EVENT_DAYS", 30, low=1, high=3650)  # how long events are kept
BRAINOPS_EVENT_ATTEMPTS = env.integer("BRAINOPS_EVENT_ATTEMPTS", 12, low=1, high=50)  # then an event is a dead letter
# Ceilings of what comes from outside. Bytes are of the encoded form.
BRAINOPS_LIMITS = {
    "body_bytes": env.integer("BRAINOPS_LIMIT_BODY_BYTES", 1 << 20, low=1024, high=64 << 20),
    "json_depth": env.integer("BRAINOPS_LIMIT_JSON_DEPTH", 64, low=4, high=200),
    "json_keys": env.integer("BRAINOPS_LIMIT_JSON_KEYS", 50_000, low=100, high=1_000_000),
    "string_bytes": env.integer("BRAINOPS_LIMIT_STRING_BYTES", 1 << 20, low=1024, high=64 << 20),
    "steps": env.integer("BRAINOPS_LIMIT_STEPS", 500, low=1, high=10_000),
    "value_bytes": env.integer("BRAINOPS_LIMIT_VALUE_BYTES", 10 << 20, low=1024, high=256 << 20),  # one step's output
    "run_bytes": env.integer("BRAINOPS_LIMIT_RUN_BYTES", 100 << 20, low=1 << 20, high=1 << 30),  # of one run
    "loop_items": env.integer("BRAINOPS_LIMIT_LOOP_ITEMS", 100_000, low=1, high=10_000_000),  # of one for_each
    "replay_runs": env.integer("BRAINOPS_LIMIT_REPLAY_RUNS", 5000, low=1, high=100_000),  # of one replay
    "bulk_items": env.integer("BRAINOPS_LIMIT_BULK_ITEMS", 1000, low=1, high=10_000),  # of one bulk request
    # one call of a code step: seconds on the clock, memory of the interpreter, its output as JSON, what it prints
    "code_seconds": env.integer("BRAINOPS_LIMIT_CODE_SECONDS", 10, low=1, high=600),
    "code_memory_bytes": env.integer("BRAINOPS_LIMIT_CODE_MEMORY_BYTES", 64 << 20, low=1 << 20, high=1 << 30),
    "code_output_bytes": env.integer("BRAINOPS_LIMIT_CODE_OUTPUT_BYTES", 1 << 20, low=1024, high=10 << 20),
    "code_log_bytes": env.integer("BRAINOPS_LIMIT_CODE_LOG_BYTES", 16 << 10, low=0, high=1 << 20),
    "state_keys": env.integer("BRAINOPS_LIMIT_STATE_KEYS", 10_000, low=1, high=10_000_000),  # of one workspace's store
    # the payload of a signal, the data of an approval
    "signal_bytes": env.integer("BRAINOPS_LIMIT_SIGNAL_BYTES", 256 << 10, low=64, high=16 << 20),
    "state_bytes": env.integer("BRAINOPS_LIMIT_STATE_BYTES", 64 << 10, low=64, high=16 << 20),  # of a key, an event
    "event_hops": env.integer("BRAINOPS_LIMIT_EVENT_HOPS", 8, low=1, high=100),  # from the first event of a chain
    "call_depth": env.integer("BRAINOPS_LIMIT_CALL_DEPTH", 8, low=1, high=100),  # workflows that call one another
    # one dry run, the workflows it calls included: seconds on the clock, and steps it attempts
    "dry_run_seconds": env.integer("BRAINOPS_LIMIT_DRY_RUN_SECONDS", 20, low=1, high=600),
    "dry_run_steps": env.integer("BRAINOPS_LIMIT_DRY_RUN_STEPS", 2000, low=1, high=100_000),
    # mails that the notices of one workspace send within an hour; more of them wait
    "mails_per_hour": env.integer("BRAINOPS_LIMIT_MAILS_PER_HOUR", 500, low=1, high=1_000_000),
    # exports and imports (docs/import-export.md): workflows that are exported while the caller waits; bytes of a file,
    # of a file that is imported while the caller waits, of a file unpacked, of one workflow in it; workflows of a file
    "export_now": env.integer("BRAINOPS_LIMIT_EXPORT_NOW", 1000, low=1, high=1_000_000),
    "import_bytes": env.integer("BRAINOPS_LIMIT_IMPORT_BYTES", 256 << 20, low=1024, high=2 << 30),
    "import_now_bytes": env.integer("BRAINOPS_LIMIT_IMPORT_NOW_BYTES", 8 << 20, low=1024, high=256 << 20),
    "import_unpacked_bytes": env.integer("BRAINOPS_LIMIT_IMPORT_UNPACKED_BYTES", 1 << 30, low=1024, high=4 << 30),
    "import_item_bytes": env.integer("BRAINOPS_LIMIT_IMPORT_ITEM_BYTES", 16 << 20, low=1024, high=256 << 20),
    "import_workflows": env.integer("BRAINOPS_LIMIT_IMPORT_WORKFLOWS", 100_000, low=1, high=10_000_000),
    # exports and imports of one workspace that are not over, and how long their files and reports stay
    "transfers": env.integer("BRAINOPS_LIMIT_TRANSFERS", 10, low=1, high=1000),
    "transfer_hours": env.integer("BRAINOPS_LIMIT_TRANSFER_HOURS", 24, low=1, high=24 * 365),
    "file_bytes": env.integer("BRAINOPS_LIMIT_FILE_BYTES", 25 << 20, low=1024, high=1 << 30),  # of one kept file
    # workspaces that one person may own by making them
    "owned_workspaces": env.integer("BRAINOPS_LIMIT_OWNED_WORKSPACES", 20, low=0, high=100_000),
}

# --- People (docs/people.md) -----------------------------------------------------------------------
# Who may make workspaces by the API: everybody who can log in, or staff only.
BRAINOPS_WORKSPACE_CREATION = env.choice("BRAINOPS_WORKSPACE_CREATION", "everybody", ("everybody", "staff"))
BRAINOPS_INVITATION_DAYS = env.integer("BRAINOPS_INVITATION_DAYS", 7, low=1, high=90)  # how long a link works

# --- Rate limits and quotas (brainops/rates.py, docs/rate-limits.md) --------------------------------
BRAINOPS_RATES = rates.read_rates(env)  # requests a second, by limit
BRAINOPS_QUOTAS = rates.read_quotas(env)  # of each workspace, by quota; 0 = none
BRAINOPS_RATE_BURST_SECONDS = env.number("BRAINOPS_RATE_BURST_SECONDS", 5, low=1, high=3600)  # so much comes at once
# How long a request waits for Redis before it is counted in this process alone.
BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS = env.number("BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS", 0.1, low=0.001, high=10)

# --- Retention (docs/payloads-and-retention.md) ----------------------------------------------------
# Days that runs stay after their end, unless their workflow says otherwise; 0 = for ever.
BRAINOPS_RETENTION_DAYS = {
    "succeeded": env.integer("BRAINOPS_RETENTION_SUCCEEDED_DAYS", 30, low=0, high=36_500),
    "failed": env.integer("BRAINOPS_RETENTION_FAILED_DAYS", 90, low=0, high=36_500),
    "cancelled": env.integer("BRAINOPS_RETENTION_CANCELLED_DAYS", 90, low=0, high=36_500),
    "timed_out": env.integer("BRAINOPS_RETENTION_TIMED_OUT_DAYS", 90, low=0, high=36_500),
}
BRAINOPS_RETENTION_KEEP_LAST = env.integer("BRAINOPS_RETENTION_KEEP_LAST", 0, low=0, high=100_000)  # of each workflow
BRAINOPS_RETENTION_WEBHOOK_DAYS = env.integer("BRAINOPS_RETENTION_WEBHOOK_DAYS", 30, low=0, high=36_500)  # deliveries

# --- Sign-in (docs/signing-in.md) ------------------------------------------------------------------
# required: staff see nothing of the admin but the page that sets a second factor up, until they have one.
BRAINOPS_STAFF_MFA = env.choice("BRAINOPS_STAFF_MFA", "optional", ("optional", "required"))
# Identity providers for single sign-on: a JSON list, or BRAINOPS_OIDC_ISSUER and the like for one.
BRAINOPS_OIDC_PROVIDERS = read_providers(env)

# --- Logs ----------------------------------------------------------------------------------------
BRAINOPS_LOG_LEVEL = env.choice("BRAINOPS_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
BRAINOPS_LOG_FORMAT = env.choice("BRAINOPS_LOG_FORMAT", "console" if DEBUG else "json", ("json", "console"))

# --- Traces (docs/operations.md) -------------------------------------------------------------------
# Where a collector takes OTLP over HTTP: https://collector.example.com:4318. Not set = nothing is traced.
BRAINOPS_OTEL_ENDPOINT = env.url("BRAINOPS_OTEL_ENDPOINT", "", schemes=("http", "https"))
BRAINOPS_OTEL_HEADERS = env.headers("BRAINOPS_OTEL_HEADERS")  # "name=value,…": what the collector asks for
BRAINOPS_OTEL_SERVICE = env.text("BRAINOPS_OTEL_SERVICE", "brainops")
BRAINOPS_OTEL_RATIO = env.number("BRAINOPS_OTEL_RATIO", 1, low=0, high=1)  # the share of traces that are kept
# On: requests of workflows carry the header traceparent, so that their targets can go on with the trace.
BRAINOPS_OTEL_PROPAGATE = env.flag("BRAINOPS_OTEL_PROPAGATE", default=False)

if not DEBUG and len(SECRET_KEY) >= 50 and len(set(SECRET_KEY)) < 10:
    env.refuse("BRAINOPS_SECRET_KEY is too simple: it needs at least 10 different characters.")
if not DEBUG and any(len(set(key)) < 8 for key in BRAINOPS_ENCRYPTION_KEYS.values()):
    env.refuse("BRAINOPS_ENCRYPTION_KEYS holds a key that is not random: make one with `openssl rand -base64 32`.")
env.finish()

# --- Django --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # before the admin: it replaces its templates
    "brainops.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "brainops.core",
    "brainops.audit",
    "brainops.accounts",
    "brainops.accounts.allauth_app.AllauthAccountConfig",
    "allauth.mfa",
    "integrations",
    "automation",
    "webhooks",
    "webhooks.mail",
]
AUTH_USER_MODEL = "accounts.User"
ROOT_URLCONF = "brainops.urls"
WSGI_APPLICATION = "brainops.wsgi.application"

# Sessions, messages and the like serve pages only; on API paths they step aside (brainops/core/web/pages.py).
MIDDLEWARE = [
    "brainops.core.web.context.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "brainops.core.web.pages.StaticFiles",
    "brainops.core.web.pages.Sessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "brainops.core.web.pages.Authentication",
    "brainops.core.web.pages.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
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
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LANGUAGE_CODE = "en"
USE_I18N = False  # one language so far; saves the lookups
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False  # both forms are routed, without redirects

# --- Static files --------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "brainops" / "static"]  # before the packages: may stand in for a file of theirs
# With `collectstatic` run (a server): compressed, hashed, cached for ever. Without it (embedded): from the packages.
_is_collected = (STATIC_ROOT / "staticfiles.json").exists()
_storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
if DEBUG or not (_is_collected or os.environ.get("BRAINOPS_COLLECTSTATIC")):
    _storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is uploaded to files
    "staticfiles": {"BACKEND": _storage},
}
WHITENOISE_USE_FINDERS = not _is_collected

# --- Safety of requests and pages ----------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = BRAINOPS_LIMITS["body_bytes"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000  # admin forms
FILE_UPLOAD_TEMP_DIR = tempfile.gettempdir()
SIGNED_COOKIE_LEGACY_SALT_FALLBACK = False  # CVE-2026-6873
SESSION_COOKIE_AGE = 12 * 3600  # seconds
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_NAME = "__Host-brainops" if _is_https else "brainops"
CSRF_COOKIE_NAME = "__Host-csrf" if _is_https else "csrf"
CSRF_TRUSTED_ORIGINS = [BRAINOPS_PUBLIC_URL]
CSRF_FAILURE_VIEW = "brainops.core.web.fallbacks.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _is_https
SECURE_REDIRECT_EXEMPT = [r"^api/v1/automation/health/?$", r"^internal/"]  # probes inside the network speak http
SECURE_HSTS_SECONDS = 31_536_000 if _is_https else 0
if BRAINOPS_TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Which other names of the domain exist, and browsers' preload lists, are not ours to bind.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- Logins of the API ---------------------------------------------------------------------------
BRAINOPS_ACCESS_TOKEN_SECONDS = 15 * 60  # short: what a stolen one is worth; a logout counts at once anyway
BRAINOPS_REFRESH_TOKEN_SECONDS = 14 * 24 * 3600  # a login unused for two weeks ends


# --- Second factors (allauth.mfa: the tables and the arithmetic; doors and services are ours) --------
MFA_ADAPTER = "brainops.accounts.services.factor_secrets.MfaAdapter"  # encrypts its secrets with our key ring
MFA_TOTP_ISSUER = "BrainOps"
MFA_TOTP_TOLERANCE = 1  # steps of 30 s before and after: clocks of phones (RFC 6238, section 5.2)
MFA_RECOVERY_CODE_COUNT = 10
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]

# --- API -----------------------------------------------------------------------------------------
BRAINOPS_API_PREFIX = "/api/v1/automation"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["brainops.accounts.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["brainops.accounts.api.permissions.CallerMay"],
    "DEFAULT_THROTTLE_CLASSES": ["brainops.accounts.api.rates.CallerRate"],
    "DEFAULT_PARSER_CLASSES": ["brainops.core.api.json.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["brainops.core.api.json.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "brainops.core.api.json.JsonOnly",
    "DEFAULT_SCHEMA_CLASS": "brainops.core.api.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "brainops.core.api.pagination.CursorPages",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "brainops.core.api.problems.exception_handler",
    "NUM_PROXIES": BRAINOPS_TRUSTED_PROXIES,
    "URL_FORMAT_OVERRIDE": None,
    "FORMAT_SUFFIX_KWARG": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would show forms to anybody
}
SPECTACULAR_SETTINGS = openapi.SPECTACULAR

# --- Celery (engine: the database is the truth, the broker is a doorbell) --------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = f"{BRAINOPS_REDIS_PREFIX}.default"
CELERY_TASK_DEFAULT_EXCHANGE = CELERY_TASK_DEFAULT_ROUTING_KEY = CELERY_TASK_DEFAULT_QUEUE
CELERY_CONTROL_EXCHANGE = f"{BRAINOPS_REDIS_PREFIX}.control"  # workers of other installations do not listen
CELERY_EVENT_EXCHANGE = f"{BRAINOPS_REDIS_PREFIX}.events"
CELERY_ACCEPT_CONTENT = ["json"]  # a message is untrusted input: never pickle
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = CELERY_EVENT_SERIALIZER = "json"
CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_BACKEND = None
CELERY_RESULT_EXPIRES = None  # else beat adds an entry that cleans a backend that is not there
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_PUBLISH_RETRY = False  # a bell that cannot be rung is dropped, the tick finds the run
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30  # seconds
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # our logging stands already
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "ack_emulation": False,  # the claim in the database does it better; saves 2/3 of the consume cost
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
}
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# The only entry, and only a convenience: every worker ticks as well. Written to beat's table at its start.
CELERY_BEAT_SCHEDULE = {
    "automation.tick": {"task": "automation.tasks.tick", "schedule": BRAINOPS_TICK_SECONDS, "options": {"expires": 5}}
}
CELERY_DB_REUSE_MAX = 1_000_000  # Celery would close the database connection after every task

# --- Admin and logs --------------------------------------------------------------------------------
UNFOLD = theme.UNFOLD
LOGGING_CONFIG = "brainops.core.logs.configure"
LOGGING = {"level": BRAINOPS_LOG_LEVEL, "format": BRAINOPS_LOG_FORMAT}
