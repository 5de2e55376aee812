"""An ECS service instead of the function: the workflows change how many tasks of it run, not the mapping."""

from collections.abc import Sequence
from typing import Any

import pulumi

from custom_labels_batch.components import iam
from custom_labels_batch.components.detector import CustomLabels

_CALL = "arn:aws:states:::aws-sdk:ecs:"


class OnService(CustomLabels):
    """Labels images in an ECS service that runs `poller.py`; the function's mapping stays closed.

    Parameters
    ----------
    cluster, service
        Names, of the stack's own region and account.
    """

    def __init__(self, cluster: str, service: str) -> None:
        self._cluster, self._service = cluster, service

    def state_changes(self, workflow: str) -> dict[str, Any]:
        """The states that open, close and look at the mapping."""
        look = {"Uuid": None, "Cluster": self._cluster, "Services": [self._service]}
        change = {"Uuid": None, "Enabled": None, "Cluster": self._cluster, "Service": self._service}
        tasks = "{% $units * $settings.executionsPerInferenceUnit %}"
        return {
            "batch_inference": {
                "Look at the idle mapping": {
                    "Resource": f"{_CALL}describeServices",
                    "Arguments": look,
                    "Assign": {
                        "mappingState": "{% $states.result.Services[0].DesiredCount = 0 ? 'Disabled' : 'Enabled' %}"
                    },
                },
                "Open the mapping": {
                    "Resource": f"{_CALL}updateService",
                    "Arguments": {**change, "ScalingConfig": None, "DesiredCount": tasks},
                },
            },
            "release_model": {
                "Close the mapping": {
                    "Resource": f"{_CALL}updateService",
                    "Arguments": {**change, "DesiredCount": 0},
                },
                "Look at the mapping": {
                    "Resource": f"{_CALL}describeServices",
                    "Arguments": look,
                    "Assign": {
                        "mappingState": "{% $states.result.Services[0].RunningCount = 0 ? 'Disabled' : 'Disabling' %}"
                    },
                },
            },
        }[workflow]

    def may_run(self, arn: pulumi.Output[str], model_version: str) -> Sequence[iam.Statement]:
        """As for the model, and the service's tasks."""
        return [*super().may_run(arn, model_version), self._may_change_tasks(arn)]

    def may_release(self, arn: pulumi.Output[str]) -> Sequence[iam.Statement]:
        """As for the model, and the service's tasks."""
        return [*super().may_release(arn), self._may_change_tasks(arn)]

    def _may_change_tasks(self, arn: pulumi.Output[str]) -> iam.Statement:
        service = arn.apply(self._arn)
        return iam.allow(["ecs:DescribeServices", "ecs:UpdateService"], service)

    def _arn(self, project_arn: str) -> str:
        partition, _, region, account = project_arn.split(":")[1:5]
        return f"arn:{partition}:ecs:{region}:{account}:service/{self._cluster}/{self._service}"
