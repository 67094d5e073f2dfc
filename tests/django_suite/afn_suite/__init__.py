"""Helpers of `run`: Django's own tests on the project's database engine, beside stock sqlite3."""
