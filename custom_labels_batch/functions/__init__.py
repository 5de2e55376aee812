"""What runs in AWS Lambda: one folder a function, and what they share."""
