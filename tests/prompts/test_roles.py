import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from prompts.errors import Protected
from prompts.models import Prompt, User
from prompts.ownership import CHANGE_OTHERS, check_owner
from prompts.roles import ADMINS, EDITORS, READERS, update_roles

pytestmark = pytest.mark.django_db


def permissions(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_they_are_there_after_the_migrations() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= {READERS, EDITORS, ADMINS}


def test_each_may_all_that_the_one_before_may() -> None:
    assert permissions(READERS) < permissions(EDITORS) < permissions(ADMINS)


def test_readers_change_nothing_but_their_own_keys() -> None:
    may = {name for name in permissions(READERS) if ".view_" not in name}
    assert may == {"prompts.add_apikey", "prompts.change_apikey"}
    assert "prompts.view_user" not in permissions(READERS)


def test_editors_have_no_part_in_what_is_of_all() -> None:
    may = permissions(EDITORS)
    assert {"prompts.add_prompt", "prompts.change_prompt", "prompts.add_evaluation"} <= may
    assert {"vectors.add_judgement", "vectors.change_judgement"} <= may
    for name in (CHANGE_OTHERS, "prompts.move_protected_label", "prompts.change_labelpolicy"):
        assert name not in may
    assert not {name for name in may if name.startswith("ops.")}


def test_admins_may_everything_but_make_accounts_and_whole_databases() -> None:
    may = permissions(ADMINS)
    assert {CHANGE_OTHERS, "prompts.move_protected_label", "prompts.change_labelpolicy"} <= may
    assert "ops.view_environment" in may
    everything = Permission.objects.filter(content_type__app_label__in=("prompts", "vectors", "ops"))
    named = {f"{one.content_type.app_label}.{one.codename}" for one in everything}
    actions = ("add", "change", "delete")
    assert named - may == {f"prompts.{one}_user" for one in actions} | {
        f"ops.{one}_environment" for one in actions
    }


def test_what_is_missing_comes_back_and_what_an_operator_added_stays() -> None:
    readers = Group.objects.get(name=READERS)
    extra = Permission.objects.get(codename="add_evaluation")
    readers.permissions.add(extra)
    readers.permissions.remove(Permission.objects.get(codename="view_prompt"))
    Group.objects.get(name=EDITORS).delete()
    update_roles("default")
    assert {"prompts.add_evaluation", "prompts.view_prompt"} <= permissions(READERS)
    assert permissions(READERS) - {"prompts.add_evaluation"} < permissions(EDITORS)


def test_doing_it_again_writes_nothing(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(12) as asked:
        update_roles("default")
    assert not [one for one in asked.captured_queries if one["sql"].startswith("INSERT")]


def test_a_prompt_is_changed_by_its_owner_and_by_who_may_change_those_of_others() -> None:
    owner, other = (User.objects.create_user(name, f"{name}@example.com") for name in ("aoi", "ben"))
    prompt = Prompt(user=owner, name="greeting")
    check_owner(owner, prompt)
    with pytest.raises(Protected, match=f"{CHANGE_OTHERS}, got greeting, which belongs to aoi"):
        check_owner(other, prompt)
    other.groups.add(Group.objects.get(name=ADMINS))
    check_owner(User.objects.get(pk=other.pk), prompt)


@pytest.mark.parametrize(("role", "group"), [("reader", READERS), ("editor", EDITORS), ("admin", ADMINS)])
def test_a_command_makes_a_user_with_a_role(role: str, group: str) -> None:
    out = io.StringIO()
    call_command("create_user", "chika", "--email", "chika@EXAMPLE.com", "--role", role, "--json", stdout=out)
    made = json.loads(out.getvalue())
    user = User.objects.get(username="chika")
    assert (user.email, user.is_staff, user.is_superuser) == ("chika@example.com", True, False)
    assert [one.name for one in user.groups.all()] == [group]
    assert made == {"username": "chika", "email": user.email, "role": role, "password": made["password"]}
    assert user.check_password(made["password"])


def test_the_command_says_what_is_wrong() -> None:
    User.objects.create_user("aoi", "aoi@example.com")
    with pytest.raises(CommandError, match=r"^Expected an e-mail address that no other user has"):
        call_command("create_user", "ben", "--email", "AOI@example.com", "--role", "reader")
    with pytest.raises(CommandError, match=r"username: .*\. email: "):
        call_command("create_user", "a b", "--email", "nowhere", "--role", "reader")
    with pytest.raises(CommandError, match="--role"):
        call_command("create_user", "ben", "--email", "ben@example.com", "--role", "king")
    assert User.objects.count() == 1
