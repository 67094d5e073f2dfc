from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from prompts.models import ApiKey, Prompt, User
from vectors import store
from vectors.models import Collection

from .conftest import PASSWORD, text_of

KEYS = "/admin/prompts/apikey/"


def key_form(**values: object) -> dict[str, object]:
    return {"name": "shop", "scopes": ["read"], "expires_at_0": "", "expires_at_1": "", **values}


def test_the_secret_of_a_key_is_shown_once(admin: Client, aoi: User):
    answer = admin.post(KEYS + "add/", key_form(user=aoi.pk))

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    secret = answer.context["secret"]
    assert secret in text_of(answer)
    key = ApiKey.objects.get()
    assert ApiKey.objects.by_secret(secret) == key
    assert (key.user, key.name, key.scopes) == (aoi, "shop", ["read"])
    for page in (KEYS, reverse("admin:prompts_apikey_change", args=[key.pk]), "/admin/"):
        shown = admin.get(page).content.decode()
        assert secret not in shown
        assert key.secret_hash not in shown
    assert all(secret not in str(value) for value in admin.session.values())


def test_a_key_can_expire_and_needs_a_scope(admin: Client, aoi: User):
    refused = admin.post(KEYS + "add/", key_form(user=aoi.pk, scopes=[]))
    assert refused.status_code == 200
    assert not ApiKey.objects.exists()

    admin.post(
        KEYS + "add/",
        key_form(user=aoi.pk, scopes=["read", "write"], expires_at_0="2020-01-02", expires_at_1="03:04:05"),
    )

    key = ApiKey.objects.get()
    assert (key.expires_at.year, key.scopes) == (2020, ["read", "write"])
    assert "expired" in text_of(admin.get(KEYS))


def test_keys_are_issued_for_oneself_unless_superuser(staff: Callable[..., Client], aoi: User, admin: Client):
    other, _ = ApiKey.issue(aoi, "of aoi", ["read"])
    ben = staff("add_apikey", "view_apikey", "change_apikey")

    ben.post(KEYS + "add/", key_form(user=aoi.pk))

    assert ApiKey.objects.get(name="shop").user.username == "ben"
    assert "of aoi" not in text_of(ben.get(KEYS))
    assert ben.get(reverse("admin:prompts_apikey_change", args=[other.pk])).status_code == 302
    for name in ("revoke", "rotate"):
        page = reverse(f"admin:prompts_apikey_{name}", args=[other.pk])
        assert ben.post(page, {"typed_name": "of aoi", "hours": "0"}).status_code == 404
    other.refresh_from_db()
    assert other.revoked_at is None


def test_revoking_stops_a_key(admin: Client, aoi: User):
    key, secret = ApiKey.issue(aoi, "shop", ["read"])
    page = reverse("admin:prompts_apikey_revoke", args=[key.pk])

    assert "Type <b>shop</b>" in text_of(admin.get(page))
    refused = admin.post(page, {"typed_name": "Shop"}, follow=True)
    assert "Nothing was revoked" in text_of(refused)
    assert ApiKey.objects.by_secret(secret) == key
    done = admin.post(page, {"typed_name": " shop "}, follow=True)

    assert "The key no longer works." in text_of(done)
    assert ApiKey.objects.by_secret(secret) is None
    assert ApiKey.objects.filter(revoked_at__lte=timezone.now()).count() == 1
    assert "revoked" in text_of(admin.get(KEYS))


def test_a_rotated_key_has_a_new_secret_and_the_old_one_for_a_while(admin: Client, aoi: User):
    key, old = ApiKey.issue(aoi, "shop", ["read"])
    page = reverse("admin:prompts_apikey_rotate", args=[key.pk])

    assert admin.get(page).status_code == 200
    assert admin.post(page, {"hours": "1000"}).status_code == 302
    answer = admin.post(page, {"hours": "24"})
    secret = answer.context["secret"]

    assert "no-store" in answer["Cache-Control"]
    assert secret in text_of(answer)
    assert {ApiKey.objects.by_secret(one) for one in (old, secret)} == {key}
    admin.post(page, {"hours": "0"})
    assert [ApiKey.objects.by_secret(one) for one in (old, secret)] == [None, None]
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    assert "a key that works" in text_of(admin.post(page, {"hours": "1"}, follow=True))


def test_a_key_is_deleted_by_name_alone_and_not_in_heaps(admin: Client, aoi: User):
    key, _ = ApiKey.issue(aoi, "shop", ["read"])
    page = reverse("admin:prompts_apikey_delete", args=[key.pk])

    assert "Type <b>shop</b>" in text_of(admin.get(page))
    for typed in ({"post": "yes"}, {"post": "yes", "typed_name": "shops"}):
        assert "Nothing was deleted" in text_of(admin.post(page, typed, follow=True))
    admin.post(KEYS, {"action": "delete_selected", "_selected_action": [key.pk], "post": "yes"})
    assert ApiKey.objects.exists()
    admin.post(page, {"post": "yes", "typed_name": "shop"})
    assert not ApiKey.objects.exists()


def test_the_list_of_keys_pins_its_queries(admin: Client, aoi: User, django_assert_num_queries):
    for number in range(8):
        user = User.objects.create_user(f"u{number}", f"u{number}@example.com")
        ApiKey.issue(user, f"key {number}", ["read"])

    with django_assert_num_queries(4):
        admin.get(KEYS)


def test_a_user_is_added_and_can_log_in(admin: Client):
    data = {"username": "chie", "email": "chie@example.com", "usable_password": "true"}
    data |= {"password1": "long enough horse", "password2": "long enough horse"}

    answer = admin.post("/admin/prompts/user/add/", data)

    assert answer.status_code == 302, answer.context["errors"]
    assert Client().login(username="chie@example.com", password="long enough horse")
    assert 'name="username" value=' not in text_of(admin.get("/admin/prompts/user/add/"))


def test_an_emptied_box_of_metadata_is_an_empty_object(admin: Client, aoi: User):
    User.objects.filter(pk=aoi.pk).update(metadata={"team": "press"})
    data = {"username": "aoi", "email": aoi.email, "is_active": "on", "is_staff": "on", "is_superuser": "on"}

    answer = admin.post(reverse("admin:prompts_user_change", args=[aoi.pk]), data | {"metadata": ""})

    assert answer.status_code == 302, answer.context["errors"]
    aoi.refresh_from_db()
    assert aoi.metadata == {}


def test_a_user_is_changed_and_the_password_kept(admin: Client, aoi: User):
    page = reverse("admin:prompts_user_change", args=[aoi.pk])
    assert "pbkdf2" not in text_of(admin.get(page))

    answer = admin.post(page, {
        "username": "aoi", "email": "new@example.com", "metadata": "{}",
        "is_active": "on", "is_staff": "on", "is_superuser": "on",
    })  # fmt: skip

    assert answer.status_code == 302, answer.context["errors"]
    aoi.refresh_from_db()
    assert (aoi.email, aoi.clerk_id, aoi.is_superuser) == ("new@example.com", None, True)
    assert aoi.check_password(PASSWORD)


def test_the_password_of_a_user_is_set(admin: Client, aoi: User):
    page = reverse("admin:auth_user_password_change", args=[aoi.pk])
    new = {"password1": "another long horse", "password2": "another long horse", "usable_password": "true"}

    assert admin.get(page).status_code == 200
    assert admin.post(page, new).status_code == 302

    aoi.refresh_from_db()
    assert aoi.check_password("another long horse")


def test_who_edits_users_does_not_become_superuser(staff: Callable[..., Client], aoi: User):
    client = staff("view_user", "change_user", "delete_user", "add_user")
    ben = User.objects.get(username="ben")
    data = {"username": "ben", "email": "ben@example.com", "metadata": "{}", "is_active": "on"}

    client.post(
        reverse("admin:prompts_user_change", args=[ben.pk]), data | {"is_superuser": "on", "is_staff": "on"}
    )
    touched = [
        client.post(reverse("admin:prompts_user_change", args=[aoi.pk]), data).status_code,
        client.post(reverse("admin:prompts_user_delete", args=[aoi.pk]), {"post": "yes"}).status_code,
        client.post(reverse("admin:auth_user_password_change", args=[aoi.pk]), {}).status_code,
    ]

    ben.refresh_from_db()
    assert not ben.is_superuser
    assert ben.is_staff
    assert touched == [403, 403, 403]


def test_the_list_of_users_pins_its_queries(admin: Client, django_assert_num_queries):
    for number in range(8):
        User.objects.create_user(f"u{number}", f"u{number}@example.com")

    with django_assert_num_queries(6):  # session, user, groups of the filter, count, page, their groups
        admin.get("/admin/prompts/user/")


@pytest.fixture
def collections(make: Callable[..., Prompt]) -> tuple[Collection, Collection]:
    make("writing/resume")
    return store.get_collection("prompts"), store.create_collection("notes", metric="l2")


def test_collections_show_what_they_hold(
    admin: Client, collections: tuple[Collection, Collection], django_assert_num_queries
):
    # Session, user, count, page, and the figures of all collections, each of which has tables of its own.
    with django_assert_num_queries(5):
        page = text_of(admin.get("/admin/vectors/collection/"))

    for part in ("prompts", "notes", "fake", "words", "64", "Cosine", "Euclidean", "Automatic"):
        assert part in page
    assert admin.get("/admin/vectors/collection/add/").status_code == 403


def test_the_collection_of_prompts_can_not_be_deleted(
    admin: Client, collections: tuple[Collection, Collection]
):
    prompts, notes = collections
    delete = {"action": "delete_selected", "_selected_action": [prompts.pk, notes.pk], "post": "yes"}

    page = reverse("admin:vectors_collection_delete", args=[prompts.pk])
    assert admin.post(page, {"post": "yes", "typed_name": "prompts"}).status_code == 403
    admin.post("/admin/vectors/collection/", delete)
    assert Collection.objects.count() == 2
    asked = admin.get(reverse("admin:vectors_collection_delete", args=[notes.pk]))
    assert asked.status_code == 200
    admin.post(
        reverse("admin:vectors_collection_delete", args=[notes.pk]), {"post": "yes", "typed_name": "notes"}
    )

    assert [one.name for one in Collection.objects.all()] == ["prompts"]


@pytest.mark.parametrize(
    ("number", "wrong", "message"),
    [
        (0, {"keyword_weight": "2"}, "Expected a number from 0 to 1, got 2.0."),
        (0, {"strategy": "hnsw"}, "Select a valid choice"),
    ],
)
def test_only_strategy_and_weight_change_and_only_to_what_works(
    admin: Client, collections: tuple[Collection, Collection], number: int, wrong: dict, message: str
):
    collection = collections[number]
    page = reverse("admin:vectors_collection_change", args=[collection.pk])
    right = {"strategy": "exact", "keyword_weight": "0.25"}

    assert message in text_of(admin.post(page, right | wrong))
    admin.post(page, right | {"name": "renamed", "dimensions": "3"})

    changed = Collection.objects.get(pk=collection.pk)
    assert (changed.strategy, changed.keyword_weight) == ("exact", 0.25)
    assert (changed.name, changed.dimensions) == (collection.name, collection.dimensions)


def test_accounts_are_closed_rather_than_deleted(admin: Client, aoi: User, staff: Callable[..., Client]):
    ben = staff("view_user", "change_user")
    user = User.objects.get(username="ben")
    page = "/admin/prompts/user/"

    closing = {"action": "deactivate", "_selected_action": [aoi.pk, user.pk]}
    ben.post(page, closing)  # neither himself nor a superuser
    assert User.objects.filter(is_active=True).count() == 2
    assert "1 account is closed." in text_of(admin.post(page, closing, follow=True))
    assert list(User.objects.filter(is_active=False)) == [user]
    admin.post(page, {"action": "activate", "_selected_action": [user.pk]})
    assert User.objects.filter(is_active=True).count() == 2
    refused = admin.post(reverse("admin:prompts_user_delete", args=[user.pk]), {"post": "yes"}, follow=True)
    assert "Nothing was deleted" in text_of(refused)
