"""Lambda entry point, invoked by Pulumi when it makes, changes or deletes `components.destroy_guard`'s invocation."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ..shared.observability import logger
from .wiring import lock


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, str]:
    """Fail, and so refuse, where the stack is to be deleted while a run holds the model.

    `event["tf"]["action"]` is create, update or delete (AWS provider, aws_lambda_invocation, lifecycle scope CRUD).
    """
    if event["tf"]["action"] == "delete":
        lock.require_free()
    return {"answer": "go on"}
