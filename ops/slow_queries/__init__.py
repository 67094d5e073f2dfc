"""Statements that took long: kept in a table, by what they are, without their values."""
