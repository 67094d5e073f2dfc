"""Backups that are proved: a consistent copy, with what it has to hold; drills restore and compare."""
