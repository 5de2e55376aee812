"""Lambda's context object, as far as the functions look at it."""

from dataclasses import dataclass


@dataclass
class Context:
    """Of one invocation; `milliseconds` is what is left of its timeout."""

    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"
    milliseconds: int = 120_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds
