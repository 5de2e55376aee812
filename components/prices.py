"""What AWS charges, where the stack itself has to know it."""

INFERENCE_UNIT_HOUR_USD = 4.0
"""An inference unit of a Custom Labels model for an hour (rekognition/pricing, "Custom Labels inference"; cli/prices.py
has the other prices and how sure they are)."""
