"""Athena's query engine for the emulated AWS: Trino's SQL, checked under Trino's rules and run by DuckDB.

Nothing in here knows ministack; `sandbox.emulator.athena` gives it the catalog, the objects and the caller's rights.
"""
