from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from prompts.models import User


@pytest.fixture(autouse=True)
def _fake_embedder(fake_embedder: None) -> None:
    """All tests of this folder embed with it."""


@pytest.fixture
def make_staff(db: None) -> Callable[..., Client]:
    """A client of somebody on the staff who has just these permissions."""

    def make(*permissions: str) -> Client:
        user = User.objects.create_user("ben", "ben@example.com", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return make
