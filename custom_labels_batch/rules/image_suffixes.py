"""Which uploads are announced."""

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
"""In any case."""
