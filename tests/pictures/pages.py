"""What is photographed, and how."""

from typing import NamedTuple

from tests.browser.conftest import Language, Theme

_DESK, _PHONE = (1280, 800), (360, 740)


class Picture(NamedTuple):
    """``path`` behind /admin/; {reply}, {greeting} and {run} are ids."""

    name: str
    path: str
    theme: Theme = "light"
    language: Language = "en"
    size: tuple[int, int] = _DESK
    with_samples: bool = False  # of the variables, typed in before


PICTURES = (
    Picture("home", ""),
    Picture("home-phone", "", "dark", "ja", _PHONE),
    Picture("tour", "tour/"),
    Picture("search", "search/?q=answer+somebody+who+is+angry"),
    Picture("search-ja", "search/?q=要約", "dark", "ja"),
    Picture("prompts", "prompts/prompt/"),
    Picture("prompt", "prompts/prompt/{reply}/change/", with_samples=True),
    Picture("prompt-phone", "prompts/prompt/{reply}/change/", "dark", "ja", _PHONE),
    Picture("versions", "prompts/prompt/{reply}/versions/"),
    Picture("difference", "prompts/prompt/{reply}/diff/?from=1&to=4"),
    Picture("blame", "prompts/prompt/{reply}/blame/"),
    Picture("labels", "prompts/prompt/{reply}/labels/"),
    Picture("scores", "prompts/prompt/{reply}/evaluations/"),
    Picture("split", "prompts/prompt/{greeting}/split/"),
    Picture("relations", "prompts/prompt/{reply}/relations/"),
    Picture("use", "prompts/prompt/{reply}/use/"),
    Picture("comparison", "prompts/prompt/{reply}/comparison/?from=3&to=4", "dark"),
    Picture("run", "prompts/evaluationrun/{run}/change/"),
    Picture("collection", "vectors/collection/1/change/"),
    Picture("map", "vectors/collection/1/map/?colour=language", "dark"),
    Picture("quality", "vectors/collection/1/quality/"),
    Picture("redis", "ops/redis/"),
    Picture("jobs", "ops/job/"),
    Picture("schedules", "django_celery_beat/periodictask/"),
    Picture("backups", "ops/backupdrill/", size=(1280, 780)),
    Picture("environments", "ops/environment/compare/?left=feature-x&right=prod"),
    Picture("health", "ops/healthrecord/", "dark"),
    Picture("alerts", "ops/alertrule/"),
    Picture("audit", "ops/auditentry/"),
    Picture("keys", "prompts/apikey/"),
)
