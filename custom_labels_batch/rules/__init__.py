"""What a stack and its operator must agree on: nothing here imports Pulumi, boto3 or another room of the package."""
