"""`python -m tests.e2e.sagemaker_server`: the sandbox with a SageMaker endpoint beside its Custom Labels model.

Both are one model underneath, so that the sandbox's ledger says what the endpoint did.
"""

import json
import sys
from typing import Any

from sandbox import server
from sandbox.emulator.process import prepare_environment
from sandbox.settings import SandboxSettings
from tests.pretended_sagemaker import ARN, NAME, PretendedSageMaker, SageMakerError

SERVICE = "sagemaker"
Answer = tuple[int, dict[str, str], bytes]


def main() -> int:
    """Serve until the parent ends, as `sandbox serve --until-parent-ends` does."""
    prepare_environment(SandboxSettings.from_environment())
    from sandbox.emulator import gateway  # imports ministack, which reads the environment then

    class Gateway(gateway.Gateway):
        def __init__(self, settings: SandboxSettings) -> None:
            super().__init__(settings)
            install(self._projects[0])

    gateway.Gateway = Gateway  # type: ignore[misc]
    return server.main(until_parent_ends=True)


class SageMaker:
    """The service's requests, with images looked at as the sandbox's Rekognition looks at them."""

    def __init__(self, project: Any) -> None:
        from sandbox.classifier import Classifier

        self._classifier, self._model = Classifier(), project.newest_first()[0]
        self._endpoint = PretendedSageMaker(self._model, lambda: project.faults, most_instances=2)

    async def handle(self, method: str, path: str, headers: Any, body: bytes, query: Any) -> Answer:
        """One request, of the control plane or of the Runtime."""
        del method, query
        if path.endswith("/invocations"):
            return self._invoke(body)
        operation = headers["x-amz-target"].partition(".")[2]
        if operation in {"CreateEndpointConfig", "DeleteEndpointConfig"}:
            return _answer(200, {"EndpointConfigArn": ARN.replace(":endpoint/", ":endpoint-config/")})
        try:
            return _answer(200, self._endpoint.answer(operation, json.loads(body)))
        except SageMakerError as error:
            return _error(400, error.code, error.message)

    def _invoke(self, body: bytes) -> Answer:
        from sandbox.rekognition import ApiError, open_image

        if self._endpoint.status != "InService":
            return _error(400, "ValidationError", f"Endpoint {NAME} of account 000000000000 not found.")
        if not self._model.take_call():
            return _error(400, "ThrottlingException", "Rate exceeded")
        try:
            found = self._classifier.predict(open_image(body, 6_291_456))
        except ApiError as error:
            self._model.count(ok=False)
            return _error(424, "ModelError", str(error), OriginalStatusCode=400)
        self._model.count(ok=True)
        labels, sure = [one.label for one in found], [one.confidence / 100 for one in found]
        return _answer(200, {"labels": labels, "probabilities": sure})


def install(project: Any) -> None:
    """Make SageMaker and its Runtime services of ministack: routed by their signature, authorised by IAM."""
    from ministack import app
    from ministack.core import iam_actions, router

    from sandbox.emulator.patching import Function, replace, require

    def with_endpoint(original: Function) -> Function:
        def extract(service: str, *rest: Any) -> str:
            return ARN if service == SERVICE else str(original(service, *rest))

        return extract

    require(app, "SERVICE_HANDLERS")[SERVICE] = SageMaker(project).handle
    require(router, "SERVICE_PATTERNS")[SERVICE] = {"target_prefixes": ["SageMaker."], "host_patterns": []}
    require(iam_actions, "SERVICE_TO_IAM_NAMESPACE")[SERVICE] = SERVICE
    require(iam_actions, "_BOTOCORE_SERVICE_MAP")[SERVICE] = ["sagemaker-runtime"]
    arguments = "service method path headers body query_params place"
    replace(iam_actions, "extract_resource_arn", arguments, with_endpoint)


def _answer(status: int, document: Any, **headers: str) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1", **headers}, json.dumps(document).encode()


def _error(status: int, code: str, message: str, **more: Any) -> Answer:
    return _answer(status, {"__type": code, "Message": message, **more}, **{"x-amzn-ErrorType": code})


if __name__ == "__main__":
    sys.exit(main())
