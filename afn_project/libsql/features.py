"""What libSQL can do, and Django's own tests that it answers otherwise, each with its reason."""

from typing import TYPE_CHECKING

from django.db.backends.sqlite3 import features as sqlite3
from django.utils.functional import cached_property

if TYPE_CHECKING:
    from .base import DatabaseWrapper

_EXTRACT = "db_functions.datetime.test_extract_trunc"
_TEXT = "db_functions.text"


class DatabaseFeatures(sqlite3.DatabaseFeatures):
    connection: "DatabaseWrapper"

    # Stock Django derives these from the version of the standard library's SQLite, which is another one.
    can_alter_table_drop_column = True
    can_return_columns_from_insert = True
    can_return_rows_from_bulk_insert = True
    minimum_database_version = (3, 45)
    max_query_params = 32_766
    supports_json_field = True  # stock Django asks the database, even where that is out of reach

    @cached_property
    def can_clone_databases(self) -> bool:
        return not self.connection.target.is_remote

    @cached_property
    def django_test_skips(self) -> dict[str, set[str]]:
        skips: dict[str, set[str]] = super().django_test_skips | self._skips
        return skips | self._skips_on_servers if self.connection.target.is_remote else skips

    @property
    def _skips_on_servers(self) -> dict[str, set[str]]:
        return {
            "The test closes its own connection too, unless the database is in memory and that is open.": {
                "backends.sqlite.tests.ThreadSharing.test_database_sharing_in_threads",
            },
        }

    @property
    def _skips(self) -> dict[str, set[str]]:
        return {
            "libSQL has no such hash function, and its binding cannot register one (NotSupportedError).": {
                f"{_TEXT}.test_{name.lower()}.{name}Tests.{test}"
                for name in ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
                for test in ("test_basic", "test_transform")
            },
            "libSQL's regular expressions have no back references (NotSupportedError).": {
                "lookup.tests.LookupTests.test_regex_backreferencing",
            },
            "The test counts the word extract in the SQL; libSQL's SQL for it is strftime().": {
                f"{_EXTRACT}.{case}.test_extract_year_{lookup}_lookup"
                for case in ("DateFunctionTests", "DateFunctionWithTimeZoneTests")
                for lookup in ("exact", "greaterthan", "lessthan")
            },
            "The binding does not tell the declared type of a column, so raw cursors give dates as text.": {
                "timezones.tests.LegacyDatabaseTests.test_cursor_execute_returns_naive_datetime",
                "timezones.tests.NewDatabaseTests.test_cursor_execute_returns_naive_datetime",
                "schema.tests.SchemaTests.test_add_datefield_and_datetimefield_use_effective_default",
            },
            "Transactions start with BEGIN IMMEDIATE unless the option transaction_mode says otherwise.": {
                "backends.base.test_base.DatabaseWrapperLoggingTests.test_commit_debug_log",
                "backends.sqlite.tests.TestTransactionMode.test_default_transaction_mode",
            },
            "libSQL is built with DQS=0: a double-quoted name that is no column is an error, not text.": {
                "schema.tests.SchemaTests.test_autofield_to_o2o",
            },
            "libSQL always has JSON, so nobody asks the database, which may be out of reach.": {
                "backends.sqlite.test_features.FeaturesTests.test_supports_json_field_operational_error",
            },
            "The test expects the name SQLite and its oldest version in the message.": {
                "backends.sqlite.tests.Tests.test_check_database_version_supported",
            },
        }
