"""How long one call of a client can take."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.client import BaseClient


def longest_call(client: "BaseClient") -> float:
    """Seconds, with every retry: each attempt to its timeouts, and between them botocore's longest waits.

    The standard mode waits up to 1, 2, 4, ... seconds (boto3 guide, "Retries").
    """
    config: Any = client.meta.config
    attempts: int = config.retries["total_max_attempts"]
    seconds: float = config.connect_timeout + config.read_timeout
    return attempts * seconds + sum(1 << n for n in range(attempts - 1))
