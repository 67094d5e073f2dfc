"""`.env` and its encrypted form `.env.enc`: reading either, and `manage.py secure_env`.

Needs no settings, because the settings are read from here. Values never leave it but to the settings, to a
file or to an editor: no message, log line or exception holds one.
"""
