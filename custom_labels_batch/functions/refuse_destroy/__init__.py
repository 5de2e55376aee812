"""Refuses to let the stack be taken down while a run holds the model."""
