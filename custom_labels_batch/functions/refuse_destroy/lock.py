"""The lock of the runs table: whoever holds it has a model to stop."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class DestroyRefusedError(RuntimeError):
    """The stack may not be destroyed now; the message is what Pulumi shows."""


class Lock:
    def __init__(self, dynamodb: "DynamoDBClient", table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name

    def require_free(self) -> None:
        """Look whether a run holds the model.

        Raises
        ------
        DestroyRefusedError
            One does: without its workflows nothing would stop its model.
        """
        answer = self._dynamodb.get_item(
            TableName=self._table_name,
            Key={"kind": {"S": "lock"}, "id": {"S": "model"}},
            ConsistentRead=True,
            ProjectionExpression="runExecutionArn",
        )
        if "Item" not in answer:
            return
        run = answer["Item"].get("runExecutionArn", {}).get("S", "").rpartition(":")[2]
        raise DestroyRefusedError(
            f"Nothing was destroyed: run {run} holds the model, which would run on, billed, with nothing left to stop "
            "it. `clb destroy` ends the run and stops the model first; `clb stop` does that alone."
        )
