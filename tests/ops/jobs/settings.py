"""The project's settings with the tests' own kinds of jobs, for processes."""

from afn_project.settings import *  # noqa: F403
from afn_project.settings import INSTALLED_APPS

INSTALLED_APPS += ["tests.ops.jobs.apps.TestsConfig"]
