"""Keeps every prediction as rows that SQL can read: a few files for many images."""
