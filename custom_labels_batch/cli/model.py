"""The model's versions, as Rekognition describes them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from custom_labels_batch.cli.answer import Answer
from custom_labels_batch.cli.stack import Stack

if TYPE_CHECKING:
    from types_boto3_rekognition.type_defs import ProjectVersionDescriptionTypeDef

BILLED = ("STARTING", "RUNNING")
IN_SERVICE = (*BILLED, "STOPPING")
MODEL_STYLES = {"RUNNING": "bold green", "STARTING": "yellow", "STOPPING": "yellow", "FAILED": "red"}
STARTABLE = ("TRAINING_COMPLETED", "COPYING_COMPLETED", "STOPPED")


class Version(Answer):
    """A project version.

    Attributes
    ----------
    inference_units
        It was last started with; None where it never was.
    message
        What Rekognition says of the status, such as why it failed.
    """

    name: str
    arn: str
    status: str
    inference_units: int | None
    message: str = ""


def versions(stack: Stack) -> list[Version]:
    """All of the project, newest first."""
    pages = stack.rekognition.get_paginator("describe_project_versions").paginate(
        ProjectArn=stack.output("projectArn"), PaginationConfig={"PageSize": 100}
    )
    return [_version(found) for page in pages for found in page["ProjectVersionDescriptions"]]


def version_status(stack: Stack, project_arn: str, version_arn: str) -> str:
    """Status of one version; GONE if it was deleted."""
    answer = stack.rekognition.describe_project_versions(
        ProjectArn=project_arn, VersionNames=[version_name(version_arn)]
    )
    found = answer["ProjectVersionDescriptions"]
    return found[0]["Status"] if found else "GONE"


def notable(found: Sequence[Version], pinned: str | None) -> list[Version]:
    """Those in service, which cost money; without one, the version that the next run would start."""
    in_service = [version for version in found if version.status in IN_SERVICE]
    startable = (v for v in found if (v.name == pinned if pinned else v.status in STARTABLE))
    return in_service or [next_one for next_one in (next(startable, None),) if next_one]


def version_name(version_arn: str) -> str:
    return version_arn.split("/")[3]


def _version(found: "ProjectVersionDescriptionTypeDef") -> Version:
    arn = found["ProjectVersionArn"]
    return Version(
        name=version_name(arn),
        arn=arn,
        status=found["Status"],
        inference_units=found.get("MinInferenceUnits"),
        message=found.get("StatusMessage", ""),
    )
