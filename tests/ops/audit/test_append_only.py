"""The log is only added to, whoever tries, with whatever; but for pruning, and for who empties everything."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ops.audit import database
from ops.audit.models import AuditEntry, AuditPruning
from ops.audit.pruning import prune
from ops.audit.recording import record


def age(days: int) -> None:
    record("label.moved")
    with connection.cursor() as cursor:  # no other way to have an old one
        cursor.execute("DROP TRIGGER ops_audit_entries_kept")
    newest = AuditEntry.objects.latest("id").pk
    AuditEntry.objects.filter(pk=newest).update(created_at=timezone.now() - timedelta(days=days))
    database.create("default")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor_name = 'nobody'",
        "UPDATE audit_entries SET changes = '{}' WHERE id > 0",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE id = (SELECT max(id) FROM audit_entries)",
        "REPLACE INTO audit_entries SELECT * FROM audit_entries",
        "INSERT OR REPLACE INTO audit_entries SELECT * FROM audit_entries",
    ],
)
def test_plain_sql_is_refused(db: None, statement: str):
    record("label.moved", name="x")
    before = list(AuditEntry.objects.values())
    refused = pytest.raises(IntegrityError, match="the audit log is only added to")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(AuditEntry.objects.values()) == before


def test_the_orm_is_refused(db: None):
    record("label.moved")
    entry = AuditEntry.objects.get(action="label.moved")
    entry.actor_name = "nobody"
    for change in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    assert AuditEntry.objects.get(action="label.moved").actor_name != "nobody"


def test_pruning_deletes_what_is_old_and_says_so(db: None):
    age(400)
    age(40)
    record("label.removed")
    assert prune(timedelta(days=365)) == 1
    assert list(AuditEntry.objects.values_list("action", flat=True)[:3]) == [
        "audit.pruned", "label.removed", "label.moved",
    ]  # fmt: skip
    assert AuditEntry.objects.first().changes["deleted"] == 1
    assert prune(timedelta(days=365)) == 0
    assert not AuditPruning.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.all().delete()
    with pytest.raises(ValueError, match="at least 30 days"):
        prune(timedelta(days=29))


def test_the_command_prunes(db: None):
    age(50)
    out = StringIO()
    call_command("prune_audit_log", keep_days=30, stdout=out)
    assert out.getvalue() == "1 line deleted.\n"
    for days in (29, 36_501):
        with pytest.raises(CommandError, match="--keep-days: expected 30 to 36500"):
            call_command("prune_audit_log", keep_days=days)


@pytest.mark.django_db(transaction=True)
def test_whoever_empties_everything_empties_it_too_and_it_is_kept_afterwards():
    record("label.moved")
    call_command("flush", interactive=False, verbosity=0)
    assert not AuditEntry.objects.filter(action="label.moved").exists()  # what a migration writes is new
    record("label.moved")
    with pytest.raises(IntegrityError):
        AuditEntry.objects.all().delete()
