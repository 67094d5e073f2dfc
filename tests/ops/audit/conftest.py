import pytest
from django.contrib.auth.models import Permission

from prompts.models import ApiKey, User
from tests.api.conftest import Api, bearer


@pytest.fixture(autouse=True)
def _fake_embedder(fake_embedder: None) -> None:
    """All tests of this folder embed with it."""


@pytest.fixture
def aoi(db: None) -> User:
    return User.objects.create_superuser("aoi", "aoi@example.com", "correct horse")


@pytest.fixture
def reader(aoi: User) -> Api:
    """Somebody who may read the audit log and nothing else."""
    ben = User.objects.create_user("ben", "ben@example.com", "x")
    ben.user_permissions.set(Permission.objects.filter(codename="view_auditentry"))
    return Api(bearer(ApiKey.issue(ben, "audit", ["read", "write"])[1]))


@pytest.fixture
def api(aoi: User) -> Api:
    return Api(bearer(ApiKey.issue(aoi, "tests", ["read", "write"])[1]))
