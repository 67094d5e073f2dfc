"""The same ORM queries on stock sqlite3 and on libSQL, row by row.

Stock Django registers Python functions for dates, zones, text, mathematics and aggregates; libSQL's driver
cannot, so the engine writes them in SQL. Here both answers are compared, as the database gives them and as
Django converts them. Each engine has its own database file: one file opened by both would kill the process.
"""
