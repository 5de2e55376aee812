"""Lambda function: tells people about images in which a label of interest was found."""
