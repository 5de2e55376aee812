"""Athena's query engine for the emulated AWS: sqlglot translates the SQL, DuckDB reads the files and answers.

Nothing in here knows ministack; `sandbox.emulator.athena` gives it the catalog, the objects and the caller's rights.
"""
