"""Error reports without secrets: addresses carry passwords, and Django masks only obvious names."""

import re

from django.views.debug import SafeExceptionReporterFilter


class Filter(SafeExceptionReporterFilter):
    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|_URL$|LOCATION|CREDENTIAL", re.IGNORECASE
    )
