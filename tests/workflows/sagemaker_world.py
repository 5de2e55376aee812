"""The world of the workflows' tests with a SageMaker endpoint instead of a Custom Labels model."""

from contextlib import suppress
from typing import Any

from examples.sagemaker.endpoint import SageMakerEndpoint
from sandbox.model import ModelVersion
from tests.workflows.services import refuse
from tests.workflows.world import World

Json = dict[str, Any]

ENDPOINT = "surfaces"
ARN = f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{ENDPOINT}"
STATUSES = {"STARTING": "Creating", "RUNNING": "InService", "STOPPING": "Deleting", "FAILED": "Failed"}


class SageMakerWorld(World):
    """Endpoints as SageMaker has them: created, billed while they exist, deleted, and then not there.

    Underneath is the sandbox's model, with its ledger: it exists while it is neither new nor STOPPED.
    """

    @property
    def project_arn(self) -> str:
        return ARN

    @property
    def model_started_by_stack(self) -> str:
        return self.model.status if self.called("CreateEndpoint") else ""

    def state_changes(self, workflow: str) -> Json:
        return SageMakerEndpoint().state_changes(workflow)

    def _ask_model(self, operation: str, request: Json) -> Json:
        self.queue.flow()
        assert request["EndpointName"] == ENDPOINT
        actions = {
            "CreateEndpoint": self._create,
            "DescribeEndpoint": self._describe,
            "DeleteEndpoint": self._delete,
        }
        return actions[operation](self.model, request)

    def _create(self, model: ModelVersion, request: Json) -> Json:
        with suppress(KeyError):
            self._existing("CreateEndpoint", model)
            raise refuse("CreateEndpoint", "ValidationException", f'Cannot create already existing endpoint "{ARN}".')
        name, _, instances = request["EndpointConfigName"].rpartition("-")
        if name != ENDPOINT or not 1 <= int(instances) <= self.settings.max_inference_units:
            message = f'Could not find endpoint configuration "{request["EndpointConfigName"]}".'
            raise refuse("CreateEndpoint", "ValidationException", message)
        if self.project.faults.start_error:
            raise refuse("CreateEndpoint", "ResourceLimitExceeded", "The account-level service limit is 0 Instances.")
        model.start(int(instances))
        return {"EndpointArn": ARN}

    def _describe(self, model: ModelVersion, _request: Json) -> Json:
        status = self._existing("DescribeEndpoint", model)
        instances = {"CurrentInstanceCount": model.sessions[-1].inference_units} if status != "Failed" else {}
        return {
            "EndpointName": ENDPOINT,
            "EndpointArn": ARN,
            "EndpointStatus": status,
            "ProductionVariants": [{"VariantName": "AllTraffic", **instances}],
            **({"FailureReason": model.status_message} if status == "Failed" else {}),
        }

    def _delete(self, model: ModelVersion, _request: Json) -> Json:
        status = self._existing("DeleteEndpoint", model)
        if status in {"Creating", "Deleting"}:
            raise refuse("DeleteEndpoint", "ValidationException", f'Cannot update in-progress endpoint "{ARN}".')
        if status == "Failed":
            model.mend()
        else:
            model.stop()
        return {}

    def _existing(self, operation: str, model: ModelVersion) -> str:
        if model.status in STATUSES:
            return STATUSES[model.status]
        if operation == "CreateEndpoint":
            raise KeyError
        raise refuse(operation, "ValidationException", f'Could not find endpoint "{ARN}".')
