"""Jobs: what takes long, done in the background, with a row that says how far it is and what came of it."""

from .changing import cancel, retry
from .inline import run_here
from .registry import job
from .run import Run
from .starting import start
from .stopping import JobCancelled, JobLost, JobStopped

__all__ = ["JobCancelled", "JobLost", "JobStopped", "Run", "cancel", "job", "retry", "run_here", "start"]
