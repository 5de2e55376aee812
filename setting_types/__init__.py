"""What a setting may be, where a type of Python does not say it."""
