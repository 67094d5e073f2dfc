import hashlib
import json

from django.db import migrations
from django.db.models import Exists, OuterRef

FIELDS = ("name", "title", "status", "language", "tags", "metadata")


def record_present_fields(apps, schema_editor):
    """The fields as they are now become the first state on record.

    Its id follows from the prompt and the values: copies of a database that are migrated apart share it. Going
    back keeps what is on record, so prompts that have a state are left as they are.
    """
    using = schema_editor.connection.alias
    PromptFields = apps.get_model("prompts", "PromptFields")
    recorded = PromptFields.objects.using(using).filter(prompt_id=OuterRef("pk"))
    prompts = apps.get_model("prompts", "Prompt").objects.using(using).filter(~Exists(recorded)).order_by("pk")
    last = ""
    while page := list(prompts.filter(pk__gt=last).only("pk", *FIELDS)[:100]):
        PromptFields.objects.using(using).bulk_create(
            first_state(PromptFields, prompt) for prompt in page
        )
        last = page[-1].pk


def first_state(PromptFields, prompt):
    values = {name: getattr(prompt, name) for name in FIELDS}
    values_hash = digest(json.dumps(values, sort_keys=True))
    return PromptFields(
        id=digest(prompt.pk + values_hash)[:32],
        prompt_id=prompt.pk,
        number=1,
        values=values,
        values_hash=values_hash,
    )


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Migration(migrations.Migration):

    dependencies = [
        ('prompts', '0002_create_prompt_fields'),
    ]

    operations = [
        migrations.RunPython(record_present_fields, migrations.RunPython.noop),
    ]
