"""Labels each new image once, moves it to the final bucket with its labels, and announces it."""
