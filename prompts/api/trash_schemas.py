"""What the operations on the trash take and give."""

from datetime import datetime

from ninja import Field, Schema
from pydantic import ConfigDict

from vectors.schemas import Body

from ..models import Prompt, PromptVersion
from .values import NameText


class RestorePromptIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"name": "writing/old-rewriter"}]})

    name: NameText = Field("", description="Left out: its own.")


class TrashedPrompt(Schema):
    id: str
    name: str
    title: str
    version: int
    author: str
    deleted_at: datetime

    @staticmethod
    def resolve_author(prompt: Prompt) -> str:
        return prompt.user.username


class TrashPage(Schema):
    items: list[TrashedPrompt]
    total: int
    limit: int
    offset: int


class TrashedVersion(Schema):
    prompt: str
    version: int
    message: str
    deleted_at: datetime

    @staticmethod
    def resolve_prompt(version: PromptVersion) -> str:
        return version.prompt.name


class TrashedVersionPage(Schema):
    items: list[TrashedVersion]
    total: int
    limit: int
    offset: int
