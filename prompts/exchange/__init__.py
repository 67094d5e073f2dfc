"""Bringing prompts in and out: files, folders, a folder's git log, MLflow, and evaluations of versions."""
