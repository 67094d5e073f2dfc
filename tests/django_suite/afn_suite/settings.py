"""Settings of one process of the suite: Django's own tests/test_sqlite.py with the engine as a parameter."""

import os

ENGINE = os.environ["AFN_SUITE_ENGINE"]

SERVER = os.environ.get("AFN_SUITE_SERVER", "")  # of the remote transport, else empty


def database(alias: str) -> dict[str, object]:
    """In memory; or a namespace of the module's own on the server, beside one that no test may touch."""
    if not SERVER:
        return {"ENGINE": ENGINE}
    namespace = f"{os.environ['AFN_SUITE_NAMESPACE']}-{alias}"
    return {
        "ENGINE": ENGINE,
        "NAME": f"{SERVER}?namespace=untouched",
        "OPTIONS": {"auth_token": os.environ["AFN_SUITE_TOKEN"]},
        "TEST": {"NAME": f"{SERVER}?namespace={namespace}"},
    }


DATABASES = {"default": database("default"), "other": database("other")}
SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False

TEST_RUNNER = "afn_suite.runner.RecordingRunner"
