"""The test runner inside the suite's processes: records the outcome of every single test.

Totals alone would let a test vanish unseen. The record is a file of JSON lines, flushed line by line, so
that the name of the test that killed the process survives.
"""

from __future__ import annotations

import json
import os
import unittest
from typing import Any, TextIO

from django.db import connections
from django.db.backends.sqlite3.features import DatabaseFeatures as StockFeatures
from django.test.runner import DiscoverRunner
from django.test.utils import iter_test_cases

# Tests that compare durations: on a busy machine they fail now and then, on any engine.
TIMED = {"serializers.test_deserialization.TestDeserializer.test_crafted_xml_performance"}


class RecordingResult(unittest.TextTestResult):
    """Unittest's text result that also appends one JSON line for each event to `record`."""

    record: TextIO

    def write(self, event: str, test: Any, **details: Any) -> None:
        """Append one event; a subtest counts for the test it belongs to."""
        owner = getattr(test, "test_case", test)
        line = {"event": event, "test": owner.id(), **details}
        self.record.write(json.dumps(line) + "\n")
        self.record.flush()

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self.write("start", test)

    def stopTest(self, test: Any) -> None:
        super().stopTest(test)
        self.write("stop", test)

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self.write("error", test, trace=self._exc_info_to_string(err, test))

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self.write("failure", test, trace=self._exc_info_to_string(err, test))

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            event = "failure" if issubclass(err[0], test.failureException) else "error"
            self.write(event, test, trace=f"{subtest.id()}\n{self._exc_info_to_string(err, subtest)}")

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self.write("skipped", test, reason=reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self.write("expected failure", test)

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self.write("unexpected success", test)


class RecordingRunner(DiscoverRunner):
    """Django's runner with the recording result."""

    def setup_databases(self, **kwargs: Any) -> Any:
        """Forget the engine's own declarations when asked to: shows which of them are needed."""
        if os.environ.get("AFN_SUITE_IGNORE_DECLARED"):
            for connection in connections.all():
                stock = StockFeatures(connection)
                for name in ("django_test_skips", "django_test_expected_failures"):
                    setattr(connection.features, name, getattr(stock, name))
        return super().setup_databases(**kwargs)

    def get_resultclass(self) -> type[RecordingResult]:
        return RecordingResult

    def run_suite(self, suite: Any, **kwargs: Any) -> Any:
        """Write down every collected test first, then run: a test without an outcome was hidden."""
        with open(os.environ["AFN_SUITE_RECORD"], "w", encoding="utf-8") as record:
            for test in iter_test_cases(suite):
                if test.id() in TIMED:
                    setattr(test, test._testMethodName, unittest.skip("measures time")(lambda: None))
                record.write(json.dumps({"event": "collected", "test": test.id()}) + "\n")
            RecordingResult.record = record
            result = super().run_suite(suite, **kwargs)
            record.write(json.dumps({"event": "finished", "test": "", "tests": result.testsRun}) + "\n")
        return result
