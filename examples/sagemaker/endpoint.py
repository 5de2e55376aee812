"""A SageMaker endpoint that exists only while there are images: what BatchInference must know of it.

An endpoint is billed while it exists, so a run creates it from an endpoint configuration and deletes it. There is one
configuration for each number of instances a run may start: `surfaces-1`, `surfaces-2`, ... for the endpoint `surfaces`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi

from custom_labels_batch.components import iam

_ARN = re.compile(r"^arn:[a-z-]+:sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):endpoint/[a-z0-9](-*[a-z0-9])*$")

_CALL = "arn:aws:states:::aws-sdk:sagemaker:"
_NAME = {"EndpointName": "{% $split($settings.projectArn, '/')[1] %}"}

# SageMaker's model of DescribeEndpoint and DeleteEndpoint has no errors, so that Step Functions calls each of them
# SageMaker.SageMakerException: an endpoint that does not exist as well as a throttled call. Only the cause tells.
_ANY_ERROR = "SageMaker.SageMakerException"
_IS_GONE = "$contains($states.errorOutput.Cause, 'Could not find endpoint')"
_RETRY = [
    {"ErrorEquals": [_ANY_ERROR], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2, "JitterStrategy": "FULL"},
    {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 2,
        "MaxAttempts": 6,
        "BackoffRate": 2,
        "JitterStrategy": "FULL",
    },
]
_SERVES = (
    "$states.result.EndpointStatus in "
    "['InService', 'Updating', 'SystemUpdating', 'RollingBack', 'UpdateRollbackFailed']"
)
_INSTANCES = "$sum($append([0], $states.result.ProductionVariants.CurrentInstanceCount))"
_REASON = "$exists($states.result.FailureReason) ? $states.result.FailureReason : ''"


def _status(otherwise: str) -> str:
    """The word that the workflows have for an endpoint's status; they start STOPPED and what ends in COMPLETED."""
    return (
        f"{_SERVES} ? 'RUNNING' : $states.result.EndpointStatus = 'Creating' ? 'STARTING' : "
        f"$states.result.EndpointStatus = 'Deleting' ? 'STOPPING' : {otherwise}"
    )


def _expression(jsonata: str) -> str:
    return f"{{% {jsonata} %}}"


BATCH_INFERENCE: dict[str, Any] = {
    "Is a version pinned?": {
        "Type": "Pass",
        "Choices": None,
        "Default": None,
        "Next": "Look for the newest usable version",
    },
    "Look the pinned version up": None,
    "Was the pinned version found?": None,
    "The pinned version does not exist": None,
    "Look for the newest usable version": {
        "Comment": "An endpoint that does not exist is one that can be started.",
        "Resource": f"{_CALL}describeEndpoint",
        "Arguments": _NAME,
        "Assign": {
            "versionArn": "{% $settings.projectArn %}",
            "modelStatus": _expression(_status("$states.result.EndpointStatus")),
            "unitsInService": _expression(f"$max([1, {_INSTANCES}])"),
            "statusMessage": _expression(_REASON),
            "newestStatus": "",
            "nextToken": "",
        },
        "Retry": _RETRY,
        "Catch": [
            {
                "ErrorEquals": [_ANY_ERROR],
                "Assign": {
                    "versionArn": "{% $settings.projectArn %}",
                    "modelStatus": _expression(f"{_IS_GONE} ? 'STOPPED' : 'UNKNOWN'"),
                    "unitsInService": 1,
                    "statusMessage": _expression(f"{_IS_GONE} ? '' : $states.errorOutput.Cause"),
                },
                "Output": {},
                "Next": "Was a usable version found?",
            }
        ],
    },
    "The version cannot be started": {
        "Cause": "{% $versionArn & ' is ' & $modelStatus & ($statusMessage = '' ? '' : ' (' & $statusMessage & ')') & "
        "'. If it is of no use any more, delete it (aws sagemaker delete-endpoint): the next run creates it anew.' %}"
    },
    "Start the model": {
        "Resource": f"{_CALL}createEndpoint",
        "Arguments": {
            "ProjectVersionArn": None,
            "MinInferenceUnits": None,
            **_NAME,
            "EndpointConfigName": "{% $split($settings.projectArn, '/')[1] & '-' & $string($units) %}",
        },
        "Retry": [{"ErrorEquals": ["SageMaker.ResourceLimitExceededException"], "MaxAttempts": 0}, *_RETRY],
        "Catch": [
            {
                "Comment": "A retried start finds its own first attempt, or there is no such configuration: look.",
                "ErrorEquals": [_ANY_ERROR],
                "Assign": {
                    "startsRequested": "{% $startsRequested + 1 %}",
                    "startRequestedAt": 0,
                    "statusMessage": "{% $states.errorOutput.Cause %}",
                },
                "Output": {},
                "Next": "Wait for the model to start",
            },
            {
                "Comment": "The account's quota of these instances is too small, or other endpoints use it up.",
                "ErrorEquals": ["SageMaker.ResourceLimitExceededException"],
                "Assign": {
                    "unitsWanted": "{% $max([1, $floor($units / 2)]) %}",
                    "mostUnits": "{% $max([1, $floor($units / 2)]) %}",
                    "statusMessage": "{% $states.errorOutput.Cause %}",
                },
                "Output": {},
                "Next": "Would fewer units do?",
            },
        ],
    },
    "There is no inference unit left": {
        "Error": "SageMaker.ResourceLimitExceededException",
        "Cause": "{% $versionArn & ' was not created, not even with one instance: ' & $statusMessage & '. The images "
        "wait in the queue, and the next run tries again. Ask for more instances of this type for endpoints in "
        "Service Quotas.' %}",
    },
    "Look at the starting model": {
        "Resource": f"{_CALL}describeEndpoint",
        "Arguments": {"ProjectArn": None, "VersionNames": None, **_NAME},
        "Assign": {
            "modelStatus": _expression(_status("$states.result.EndpointStatus")),
            "statusMessage": _expression(_REASON),
        },
        "Retry": _RETRY,
        "Catch": [
            {
                "ErrorEquals": [_ANY_ERROR],
                "Assign": {
                    "modelStatus": _expression(f"{_IS_GONE} ? 'STOPPED' : 'UNKNOWN'"),
                    "statusMessage": _expression(f"{_IS_GONE} ? $statusMessage : $states.errorOutput.Cause"),
                },
                "Output": {},
                "Next": "What is the model doing?",
            }
        ],
    },
    "The model took too long to start": {
        "Cause": "{% $versionArn & ' is still ' & $modelStatus & ' after ' & "
        "$string($settings.startTimeoutSeconds / 60) & ' minutes. The images wait in the queue, and the next run tries "
        "again. If this repeats, look at the endpoint and its logs in the SageMaker console.' %}"
    },
    "The model did not start": {
        "Cause": "{% $versionArn & ' went to ' & $modelStatus & ' instead of RUNNING' & ($statusMessage = '' ? '' : "
        "' (' & $statusMessage & ')') & '. The images wait in the queue. Create the endpoint by hand once to see why "
        "it fails.' %}"
    },
    "Look at the running model": {
        "Resource": f"{_CALL}describeEndpoint",
        "Arguments": {"ProjectArn": None, "VersionNames": None, **_NAME},
        "Assign": {"modelStatus": _expression(_status("$states.result.EndpointStatus"))},
    },
}

RELEASE_MODEL: dict[str, Any] = {
    "Look for models in service": {
        "Resource": f"{_CALL}describeEndpoint",
        "Arguments": _NAME,
        "Assign": {"idleUnits": _expression(f"{_SERVES} ? {_INSTANCES} : 0"), "nextToken": None},
        "Retry": _RETRY,
        "Catch": [
            {
                "ErrorEquals": [_ANY_ERROR],
                "Assign": {"idleUnits": _expression(f"{_IS_GONE} ? 0 : -1")},
                "Output": {},
                "Next": "Are there more versions?",
            },
            {"ErrorEquals": ["States.ALL"], "Output": {}, "Next": "Nothing to release"},
        ],
    },
    "Are there more versions?": {
        "Comment": "There is one endpoint; nothing is said if nobody knows whether it runs.",
        "Choices": [{"Condition": "{% $idleUnits < 0 %}", "Next": "Nothing to release"}],
    },
    "Look at the model": {
        "Comment": "The one the run used: the settings may name another by now. One that failed is deleted too.",
        "Resource": f"{_CALL}describeEndpoint",
        "Arguments": {
            "ProjectArn": None,
            "VersionNames": None,
            "EndpointName": "{% $split($modelToStop, '/')[1] %}",
        },
        "Assign": {
            "modelStatus": _expression(_status("'UNKNOWN'")),
            "runningAt": _expression(f"$runningAt = 0 and {_SERVES} ? $millis() : $runningAt"),
            "ranUntil": _expression(f"{_SERVES} ? $millis() : $ranUntil"),
        },
        "Retry": _RETRY,
        "Catch": [
            {
                "ErrorEquals": [_ANY_ERROR],
                "Assign": {"modelStatus": _expression(f"{_IS_GONE} ? 'GONE' : 'UNKNOWN'")},
                "Output": {},
                "Next": "What is the model doing?",
            },
            {
                "ErrorEquals": ["States.ALL"],
                "Assign": {"modelStatus": "UNKNOWN"},
                "Output": {},
                "Next": "What is the model doing?",
            },
        ],
    },
    "Stop the model": {
        "Comment": "SageMaker refuses while the endpoint is in progress, as in Creating: then it is asked again.",
        "Resource": f"{_CALL}deleteEndpoint",
        "Arguments": {"ProjectVersionArn": None, "EndpointName": "{% $split($modelToStop, '/')[1] %}"},
        "Retry": _RETRY,
    },
    "The model does not stop": {
        "Cause": "{% $modelToStop & ' is ' & $modelStatus & ' ' & $string($settings.stopTimeoutSeconds / 60) & "
        "' minutes after it was to be deleted. It is tried again within 15 minutes; delete it in the SageMaker "
        "console if it stays.' %}"
    },
}


class SageMakerEndpoint:
    """A `Detector` (custom_labels_batch/components/detector.py); `project_arn` is the endpoint's future ARN."""

    function_module: Path | None = Path(__file__).with_name("model.py")

    def checked(self, arn: str, region: str, account: str, model_version: str) -> str:
        """The ARN of an endpoint of this region and account, in lower case, as SageMaker writes names in ARNs."""
        found = _ARN.match(arn)
        if not found:
            raise ValueError(f"{arn!r} is not arn:aws:sagemaker:REGION:ACCOUNT:endpoint/NAME in lower case")
        if (found["region"], found["account"]) != (region, account):
            raise ValueError(f"{arn} is not in {region} and account {account}, where this is deployed")
        if model_version:
            raise ValueError(f"An endpoint has no versions: leave model_version out (it is {model_version!r})")
        return arn

    def state_changes(self, workflow: str) -> dict[str, Any]:
        """What SageMaker is asked instead of Rekognition, and in which words the workflows speak of it."""
        return {"batch_inference": BATCH_INFERENCE, "release_model": RELEASE_MODEL}[workflow]

    def may_detect(self, arn: pulumi.Output[str], *, finds_it_itself: bool) -> Sequence[iam.Statement]:  # noqa: ARG002
        """Ask the endpoint."""
        return [iam.allow(["sagemaker:InvokeEndpoint"], arn)]

    def may_run(self, arn: pulumi.Output[str], model_version: str) -> Sequence[iam.Statement]:  # noqa: ARG002
        """Create it; SageMaker asks for the right on the configuration too."""
        configurations = arn.apply(lambda found: f"{found.replace(':endpoint/', ':endpoint-config/')}-*")
        return [
            iam.allow(["sagemaker:DescribeEndpoint"], arn),
            iam.allow(["sagemaker:CreateEndpoint"], [arn, configurations]),
        ]

    def may_release(self, arn: pulumi.Output[str]) -> Sequence[iam.Statement]:
        """Delete it."""
        return [iam.allow(["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"], arn)]
