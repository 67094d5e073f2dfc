"""Settings of one process of the suite: Django's own tests/test_sqlite.py with the engine as a parameter."""

import os

ENGINE = os.environ["AFN_SUITE_ENGINE"]

DATABASES = {"default": {"ENGINE": ENGINE}, "other": {"ENGINE": ENGINE}}
SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False

TEST_RUNNER = "afn_suite.runner.RecordingRunner"
