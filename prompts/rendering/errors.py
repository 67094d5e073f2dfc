"""What is wrong with a template, or with the values for it."""


class TemplateProblem(Exception):
    """Names the field at fault, what was expected and what came; each is ready to be shown."""

    def __init__(self, field: str, expected: str, got: str) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(field, expected, got)

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, got {self.got}."


class TemplateSyntaxProblem(TemplateProblem):
    """A Jinja2 template that cannot be read, or uses what templates here cannot use."""


class RenderingFailed(TemplateProblem):
    """A Jinja2 template that can be read, but not be rendered with these values."""


class RenderingTooSlow(RenderingFailed):
    """A Jinja2 template that was not ready in time and was given up; it would be the next time too."""


class RenderingUnavailable(TemplateProblem):
    """No process to render templates could be had, whatever the template: trying later may help."""
