"""Hypothesis, for every unit test: no deadline for one example, which a busy machine would miss."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
