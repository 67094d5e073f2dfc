"""Figures of every minute, kept for a week in a table: what the console draws without any Prometheus."""
