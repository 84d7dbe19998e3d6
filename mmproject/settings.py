"""Settings of every process, from the environment. Nothing secret has a default.

Each variable is explained in docs/deployment.md.
"""

import os
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from mmproject.environment import BASE_DIR, flag, required, state_dir

STATE_DIR = state_dir()

SECRET_KEY = required("SECRET_KEY", "it signs sessions and password links")
DEBUG = flag("DEBUG")
ALLOWED_HOSTS = [
    host.strip() for host in os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",") if host.strip()
]
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if origin]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "csp",
    "mmproject",
    "crawler",
    "annotation",
    "evaluation",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "mmproject.urls"
WSGI_APPLICATION = "mmproject.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "jinja2"],
        "OPTIONS": {"environment": "mmproject.jinja.environment"},
    },
]

# --- stores ---------------------------------------------------------------------------------------------------------

MONGO_ENGINES = {"djongo": "mmproject.mongo", "django_mongodb_backend": "django_mongodb_backend"}
MONGO_ENGINE = os.environ.get("MONGO_ENGINE", "djongo")
if MONGO_ENGINE not in MONGO_ENGINES:
    raise ImproperlyConfigured(f"MONGO_ENGINE={MONGO_ENGINE!r} is unknown: use one of {', '.join(MONGO_ENGINES)}")
MONGO_URI = required("MONGO_URI", "it names the MongoDB that holds the domain's documents")
MONGO_DB = os.environ.get("MONGO_DB", "mmproject")
REDIS_URL = required("REDIS_URL", "it names the Redis of the Celery queues, the locks and the cache")

DATABASES: dict[str, dict[str, Any]] = {
    "default": dict(dj_database_url.parse(os.environ.get("DATABASE_URL") or f"sqlite:///{STATE_DIR}/db.sqlite3")),
    "mongo": {
        "ENGINE": MONGO_ENGINES[MONGO_ENGINE],
        "NAME": MONGO_DB,
        "TEST": {"NAME": MONGO_DB},  # the tests name a database of their own in MONGO_DB, which their workers share
    },
}
if MONGO_ENGINE == "djongo":
    DATABASES["mongo"] |= {"ENFORCE_SCHEMA": False, "CLIENT": {"host": MONGO_URI}}
else:
    DATABASES["mongo"] |= {"HOST": MONGO_URI, "OPTIONS": {"journal": True, "serverSelectionTimeoutMS": 5000}}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    DATABASES["default"]["TEST"] = {
        "NAME": DATABASES["default"]["NAME"]
    }  # a file: live servers and workers open it too
DATABASE_ROUTERS = ["mmproject.router.DomainRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL},
    "sessions": {"BACKEND": "mmproject.caches.ForgivingRedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "session"},
}

MEDIA_ROOT = os.environ.get("MEDIA_ROOT") or str(STATE_DIR / "media")
MEDIA_URL = "/media/"
MODELS_DIR = STATE_DIR / "models"
DATASETS_DIR = STATE_DIR / "datasets"
TRAININGS_DIR = STATE_DIR / "trainings"  # logs, curves and checkpoints, from which a training goes on
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# --- work -----------------------------------------------------------------------------------------------------------

TASK_TIME_LIMIT = 6 * 3600
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = REDIS_URL
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = TASK_TIME_LIMIT
CELERY_TASK_DEFAULT_QUEUE = "crawl"
CELERY_TASK_ROUTES = {
    "crawler.*": {"queue": "crawl"},
    "annotation.*": {"queue": "crawl"},
    "evaluation.tasks.run_training": {"queue": "train"},
    "evaluation.tasks.predict_pending": {"queue": "predict"},
    "evaluation.tasks.predict_opinions": {"queue": "predict"},
    "evaluation.tasks.draw_alignment": {"queue": "predict"},
    "evaluation.*": {"queue": "crawl"},
}
# Redis hands a task out again after this long: it must exceed every hard time limit (docs.celeryq.dev, Redis caveats).
CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {
    "visibility_timeout": TASK_TIME_LIMIT + 3600,
    "global_keyprefix": os.environ.get("REDIS_PREFIX", ""),
}
CELERY_VISIBILITY_TIMEOUT = TASK_TIME_LIMIT + 3600
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# What a stopped worker or a crash left pending is queued again; the documents, not the broker, hold the intent.
CELERY_BEAT_SCHEDULE = {
    "resume-crawls": {"task": "crawler.tasks.resume_crawls", "schedule": 15.0, "options": {"expires": 15}},
    "resume-imports": {"task": "crawler.tasks.resume_imports", "schedule": 15.0, "options": {"expires": 15}},
    "resume-submissions": {"task": "annotation.tasks.resume_submissions", "schedule": 30.0, "options": {"expires": 30}},
    "resume-reviews": {"task": "annotation.tasks.resume_reviews", "schedule": 30.0, "options": {"expires": 30}},
    "resume-webhooks": {"task": "annotation.tasks.resume_webhooks", "schedule": 15.0, "options": {"expires": 15}},
    "resume-table-imports": {
        "task": "annotation.tasks.resume_table_imports",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "resume-predictions": {"task": "evaluation.tasks.resume_predictions", "schedule": 15.0, "options": {"expires": 15}},
    "resume-alignments": {"task": "evaluation.tasks.resume_alignments", "schedule": 30.0, "options": {"expires": 30}},
    "resume-training": {"task": "evaluation.tasks.resume_training", "schedule": 15.0, "options": {"expires": 15}},
    "count-judgments": {"task": "evaluation.tasks.count_judgments", "schedule": 30.0, "options": {"expires": 30}},
    "recount-judgments": {
        "task": "evaluation.tasks.recount_judgments",
        "schedule": crontab(hour="4", minute="0"),
        "options": {"expires": 12 * 3600},
    },
    "scheduled-crawls": {"task": "crawler.tasks.queue_scheduled_crawls", "schedule": 60.0, "options": {"expires": 60}},
    # The disk must not fill up between two nights with pages of a shop that has changed.
    "clean-raw-pages": {"task": "crawler.tasks.clean_raw_pages", "schedule": 3600.0, "options": {"expires": 3600}},
    "clean-crawls": {
        "task": "crawler.tasks.clean_crawls",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 12 * 3600},
    },
    **{
        f"heartbeat-{queue}": {
            "task": "mmproject.tasks.heartbeat",
            "args": [queue],
            "schedule": period,
            "options": {"queue": queue, "expires": period},
        }
        for queue, period in {"crawl": 15.0, "predict": 60.0, "train": 60.0}.items()
    },
}
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "celerybeat-schedule")

# --- crawling -------------------------------------------------------------------------------------------------------

# Sources are documents that operators edit in the admin; which private addresses they may lead to is not theirs to say.
CRAWLER_PRIVATE_HOSTS = [host for host in os.environ.get("CRAWLER_PRIVATE_HOSTS", "").split(",") if host]
DEMO_SHOP_URL = os.environ.get("DEMO_SHOP_URL", "")
if DEMO_SHOP_URL:
    CRAWLER_PRIVATE_HOSTS.append(urlsplit(DEMO_SHOP_URL).netloc)
CRAWLER_USER_AGENT = os.environ.get("CRAWLER_USER_AGENT", "mmproject-crawler/0.1")

# --- people ---------------------------------------------------------------------------------------------------------

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["mmproject.accounts.OneQueryBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_I18N = USE_TZ = True

# --- safety ---------------------------------------------------------------------------------------------------------

BEHIND_HTTPS = flag("BEHIND_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SECURE_SSL_REDIRECT = BEHIND_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Read from Redis, kept in the database: whoever is signed in stays so when Redis forgets.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_CACHE_ALIAS = "sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "mmproject.problems.problem_json",
    "DEFAULT_THROTTLE_CLASSES": ["mmproject.throttling.UserRate"],
    "DEFAULT_THROTTLE_RATES": {"user": "600/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "mmproject",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}
