"""The runs table: the lock item, which names the model version and counts what a run has done."""

from typing import TYPE_CHECKING

from .failures import ModelNotUpError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_LOCK: "dict[str, AttributeValueTypeDef]" = {"kind": {"S": "lock"}, "id": {"S": "model"}}


class RunsTable:
    def __init__(self, dynamodb: "DynamoDBClient", name: str) -> None:
        self._dynamodb = dynamodb
        self._name = name

    def project_version_arn(self) -> str:
        """The model version that the run has chosen.

        Raises
        ------
        ModelNotUpError
            No run is active, or it has not chosen yet.
        """
        answer = self._dynamodb.get_item(
            TableName=self._name, Key=_LOCK, ConsistentRead=True, ProjectionExpression="projectVersionArn"
        )
        arn = answer.get("Item", {}).get("projectVersionArn", {}).get("S")
        if not arn:
            raise ModelNotUpError("No run has chosen a model version")
        return arn

    def count(self, processed: int, rejected: int) -> None:
        """Add to the counters of the active run.

        Raises
        ------
        ClientError
            ConditionalCheckFailedException if no run is active.
        """
        self._dynamodb.update_item(
            TableName=self._name,
            Key=_LOCK,
            UpdateExpression="ADD #processed :processed, rejected :rejected",
            ConditionExpression="attribute_exists(executionArn)",
            ExpressionAttributeNames={"#processed": "processed"},  # a reserved word of DynamoDB
            ExpressionAttributeValues={":processed": {"N": str(processed)}, ":rejected": {"N": str(rejected)}},
        )
