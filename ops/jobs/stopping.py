"""Why a job's function is stopped from outside.

No ``Exception``: what a function catches of its own work must not keep these.
"""


class JobStopped(BaseException):
    """Base of them."""


class JobCancelled(JobStopped):
    """Somebody has asked for it."""


class JobLost(JobStopped):
    """The lease ran out, and the job is another's by now: whatever is done here is too late."""
