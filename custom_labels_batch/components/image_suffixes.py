"""Which uploads are announced; apart from what announces them, for those who upload."""

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
"""In any case."""
