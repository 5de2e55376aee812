"""The world of the workflows' tests with a SageMaker endpoint instead of a Custom Labels model."""

from typing import Any

from examples.sagemaker.endpoint import SageMakerEndpoint
from tests.pretended_sagemaker import ARN, PretendedSageMaker, SageMakerError
from tests.workflows.services import refuse
from tests.workflows.world import World

Json = dict[str, Any]


class SageMakerWorld(World):
    """An account with an endpoint that runs create and delete."""

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
        sagemaker = PretendedSageMaker(self.model, lambda: self.project.faults, self.settings.max_inference_units)
        try:
            return sagemaker.answer(operation, request)
        except SageMakerError as error:
            raise refuse(operation, error.code, error.message) from None
