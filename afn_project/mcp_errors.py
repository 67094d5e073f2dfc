"""Errors of the MCP server: those of the REST API, in the words that it has for them."""

from prompts.mcp_server.failures import Failure

from .api_errors import DESCRIPTIONS, Problem


def problem_of(error: Exception) -> Problem:
    """As the REST API answers it; the most special class decides. What nobody foresaw is logged."""
    for kind in type(error).__mro__:
        if kind in DESCRIPTIONS:
            return DESCRIPTIONS[kind](error)
    raise error  # there is none but that of a BaseException


def describe(error: Exception) -> Failure:
    problem = problem_of(error)
    return Failure(problem.status, problem.detail)
