"""Django database engine for libSQL: ``ENGINE = "afn_project.libsql"``.

A subclass of Django's SQLite backend over the ``libsql`` binding. Introspection, schema editor and
SQL dialect are Django's own; what the binding lacks (user-defined functions, typed errors, a lock
wait that releases the GIL) is supplied here. See ``docs/adr/0001-own-libsql-engine.md``.
"""
