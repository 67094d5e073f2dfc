"""The project's settings with one app more, whose migrations the variable LIBRARY chooses."""

import os

from afn_project.settings import *  # noqa: F403
from afn_project.settings import INSTALLED_APPS

INSTALLED_APPS += ["tests.ops.rehearsal.library"]
MIGRATION_MODULES = {"library": f"tests.ops.rehearsal.library.{os.environ['LIBRARY']}"}
