"""SageMaker, as far as the example's workflows ask it, with the sandbox's model and its ledger underneath.

The endpoint exists while the model is neither new nor STOPPED. Errors as SageMaker words them.
"""

from collections.abc import Callable
from typing import Any

from sandbox.model import Faults, ModelVersion

Json = dict[str, Any]

NAME = "surfaces"
ARN = f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{NAME}"
STATUSES = {"STARTING": "Creating", "RUNNING": "InService", "STOPPING": "Deleting", "FAILED": "Failed"}


class SageMakerError(Exception):
    """An error answer: AWS's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class PretendedSageMaker:
    """One endpoint; there is a configuration for each number of instances up to the most."""

    def __init__(self, model: ModelVersion, faults: Callable[[], Faults], most_instances: int) -> None:
        self._model, self._faults, self._most_instances = model, faults, most_instances

    @property
    def status(self) -> str:
        """The endpoint's status; empty when there is none."""
        return STATUSES.get(self._model.status, "")

    def answer(self, operation: str, request: Json) -> Json:
        """One call; raises SageMakerError."""
        assert request["EndpointName"] == NAME
        if operation == "CreateEndpoint":
            return self._create(request)
        if not self.status:
            raise SageMakerError("ValidationException", f'Could not find endpoint "{ARN}".')
        return self._describe() if operation == "DescribeEndpoint" else self._delete()

    def _create(self, request: Json) -> Json:
        if self.status:
            raise SageMakerError("ValidationException", f'Cannot create already existing endpoint "{ARN}".')
        name, _, instances = request["EndpointConfigName"].rpartition("-")
        if name != NAME or not 1 <= int(instances) <= self._most_instances:
            message = f'Could not find endpoint configuration "{request["EndpointConfigName"]}".'
            raise SageMakerError("ValidationException", message)
        if self._faults().start_error:
            raise SageMakerError("ResourceLimitExceeded", "The account-level service limit is 0 Instances.")
        self._model.start(int(instances))
        return {"EndpointArn": ARN}

    def _describe(self) -> Json:
        failed = self.status == "Failed"
        instances = {} if failed else {"CurrentInstanceCount": self._model.sessions[-1].inference_units}
        return {
            "EndpointName": NAME,
            "EndpointArn": ARN,
            "EndpointStatus": self.status,
            "ProductionVariants": [{"VariantName": "AllTraffic", **instances}],
            "CreationTime": self._model.created_at,
            "LastModifiedTime": self._model.created_at,
            **({"FailureReason": self._model.status_message} if failed else {}),
        }

    def _delete(self) -> Json:
        if self.status in {"Creating", "Deleting"}:
            raise SageMakerError("ValidationException", f'Cannot update in-progress endpoint "{ARN}".')
        if self.status == "Failed":
            self._model.mend()
        else:
            self._model.stop()
        return {}
