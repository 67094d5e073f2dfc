"""What a version of a prompt is made of: the template, and what belongs to it.

A prompt has these fields as they are now, each of its versions as they were then.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..rendering import messages
from ..rendering.errors import TemplateProblem
from ..rendering.template import Format, Template
from ..validators import validate_config, validate_content, validate_variables

VERSIONED: Final = ("content", "config", "variables", "template_format")


class TemplateFormat(models.TextChoices):
    SIMPLE = "simple", "{{name}}"
    JINJA2 = "jinja2", "Jinja"


@dataclass(frozen=True, slots=True)
class Payload:
    """The values of the fields in ``VERSIONED``."""

    content: str
    config: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    template_format: Format = "simple"

    @property
    def hash(self) -> str:
        """SHA-256 as 64 hexadecimal digits; equal hashes mean identical payloads.

        Of the text alone, where there is nothing but text; else of all, as JSON with sorted keys, after a
        NUL: no text has one, so that none can be taken for it.
        """
        if not self.config and not self.variables and self.template_format == TemplateFormat.SIMPLE:
            text = self.content
        else:
            values = {name: getattr(self, name) for name in VERSIONED}
            text = "\0" + json.dumps(values, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in VERSIONED}


def hash_content(content: str) -> str:
    """The hash of a payload that is nothing but text."""
    return Payload(content).hash


class Versioned(models.Model):
    content = models.TextField(
        _("content"),
        validators=[validate_content],
        help_text=_("The prompt itself. New content makes a new version."),
    )
    template_format = models.CharField(
        _("template format"),
        max_length=16,
        choices=TemplateFormat.choices,
        default=TemplateFormat.SIMPLE,
        db_default=TemplateFormat.SIMPLE,
        help_text=_("{{name}} for plain variables; Jinja for conditions and loops, in a sandbox."),
    )
    variables = models.JSONField(
        _("variables"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_variables],
        help_text=_(
            'What is to be known of variables: {"tone": {"type": "enum", "values": ["kind", "firm"]}}.'
        ),
    )
    config = models.JSONField(
        _("config"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_config],
        help_text=_("What the application wants to keep with it, such as model and temperature."),
    )

    class Meta:
        abstract = True

    @property
    def payload(self) -> Payload:
        return Payload(**{name: getattr(self, name) for name in VERSIONED})

    def text_of(self, kind: str) -> str:
        """The content as a person reads it, of a prompt of the type `kind`: of a chat its transcript."""
        if kind == "text":
            return self.content
        try:
            return messages.transcript(messages.parse(self.content))
        except TemplateProblem:  # written with plain SQL
            return self.content

    def template_of(self, kind: str) -> Template:
        """The template, of a prompt of the type `kind`."""
        return Template(kind, self.content, self.template_format, self.variables)  # type: ignore[arg-type]
