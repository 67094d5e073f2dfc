"""What the tools take and give. Types and bounds stand here; the registry judges values."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from vectors.api_values import Text
from vectors.schemas import Body

from ..api.evaluation_schemas import EvaluationOut
from ..api.schemas import PromptOut, RenderOut
from ..api.values import Moment, VersionNumber
from ..api.version_schemas import VersionPage
from ..validators import MAX_NAME_LENGTH

__all__ = ["EvaluationOut", "PromptOut", "RenderOut", "VersionPage"]

Name = Annotated[Text, Field(min_length=1, max_length=MAX_NAME_LENGTH, description="Name or id of a prompt.")]
Word = Annotated[Text, Field(max_length=255)]


class SearchIn(Body):
    query: Text = Field(min_length=1, max_length=10_000, description="What you look for, in your own words.")
    k: int = Field(10, ge=1, le=100, description="How many results.")
    mode: Literal["hybrid", "semantic", "keyword"] = "hybrid"
    status: Literal["draft", "active", "archived"] | None = None
    tag: Word | None = Field(None, description="Exactly this tag.")
    language: Word | None = Field(None, description="Language code, such as en or ja.")
    folder: Word | None = Field(None, description="In this folder or below it.")


class Which(Body):
    name: Name
    version: VersionNumber | None = Field(None, description="A version by its number.")
    label: Word | None = Field(
        None, description="The version that this label serves, such as production. Left out: the newest."
    )
    at: Moment | None = Field(
        None, strict=False, description="What the label (or `latest`) served at that time, with its zone."
    )


class GetIn(Which):
    resolve: bool = Field(True, description="Put what it includes in its place.")


class VersionsIn(Body):
    name: Name
    limit: int = Field(50, ge=1, le=100)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class DiffIn(Body):
    name: Name
    from_version: VersionNumber
    to_version: VersionNumber


class RenderIn(Which):
    variables: dict[str, Any] = Field({}, description="Values by name; get_prompt tells names and types.")
    placeholders: dict[str, Any] = Field({}, description="Messages by the name of the placeholder.")
    allow_partial: bool = Field(False, description="Leave what is missing as it is written.")


class EvaluationIn(Body):
    name: Name
    score: float = Field(ge=0.0, le=1.0, allow_inf_nan=False, description="From 0 (worst) to 1 (best).")
    version: VersionNumber | None = Field(None, description="Left out: the newest.")
    score_name: Text = Field(
        "", max_length=64, description="What was judged, such as accuracy. Empty: the main score."
    )
    item: Text = Field("", max_length=255, description="On what; versions are compared on the same items.")
    metrics: dict[str, Any] = Field({}, description="The figures behind the score.")


class HitOut(BaseModel):
    id: str
    name: str
    title: str
    status: str
    language: str
    version: int
    tags: list[str]
    snippet: str
    distance: float | None = Field(description="0 is nearest; null where only words were compared.")
    score: float


class SearchOut(BaseModel):
    query: str
    mode: str
    k: int
    results: list[HitOut] = Field(description="The best first; get_prompt gives the content.")
    plan: dict[str, Any] = Field(description="How the results were found.")


class ChangeOut(BaseModel):
    """As the REST API's, but with names that every language can have."""

    field: str
    from_value: Any
    to_value: Any


class DiffOut(BaseModel):
    name: str
    from_version: int
    to_version: int
    added: int
    removed: int
    complete: bool = Field(description="False where texts were too long or repetitive for the least diff.")
    unified: str = Field(description="Empty where nothing differs.")
    changes: list[ChangeOut] = Field(description="Of config, variables and template format.")
