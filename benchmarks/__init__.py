"""What an image costs, and how fast images are labelled, measured on the sandbox."""
