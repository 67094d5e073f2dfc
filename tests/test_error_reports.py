import pytest
from django.test import RequestFactory, override_settings
from django.views.debug import ExceptionReporter

CANARY = "s3cret-canary"


@pytest.mark.parametrize(
    "setting",
    [
        {"REDIS_URL": f"redis://:{CANARY}@h:6379/0"},
        {"CELERY_BROKER_URL": f"redis://:{CANARY}@h:6379/0"},
        {"SESSIONS_CACHE": {"default": {"LOCATION": f"redis://:{CANARY}@h"}}},
        {"OTHER_DATABASES": {"default": {"OPTIONS": {"auth_token": CANARY, "encryption_key": CANARY}}}},
    ],
)
def test_an_error_page_shows_no_password_of_a_service(setting: dict[str, object]) -> None:
    with override_settings(DEBUG=True, **setting):
        try:
            raise ValueError("broken")
        except ValueError as error:
            report = ExceptionReporter(RequestFactory().get("/"), type(error), error, error.__traceback__)
        html = report.get_traceback_html().partition('id="settings-info"')[2]
    assert next(iter(setting)) in html
    assert CANARY not in html
