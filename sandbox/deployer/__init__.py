"""Creates what a Pulumi program registers in whatever AWS endpoint it is pointed at."""
