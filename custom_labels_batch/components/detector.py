"""The seam to the model: all that BatchInference knows of what it starts, asks and stops (docs/adapt.md)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pulumi

from custom_labels_batch.components import iam

StateChanges = Mapping[str, Any]
"""State name -> what is changed in that state of a workflow, as a JSON merge patch; None removes the state."""


class Detector(Protocol):
    """What finds the labels. `project_arn` of BatchInference is its ARN, whatever that names."""

    function_module: Path | None
    """The file that takes the place of `functions/analyze_image/model.py`; None for that file itself."""

    def checked(self, arn: str, region: str, account: str, model_version: str) -> str:
        """The ARN, if it can be used from this region and account; else a ValueError that says what to do."""
        ...

    def state_changes(self, workflow: str) -> StateChanges:
        """What to change in the states that speak to the model, `batch_inference`'s or `release_model`'s."""
        ...

    def may_detect(self, arn: pulumi.Output[str], *, finds_it_itself: bool) -> Sequence[iam.Statement]:
        """What the function may do; with the trigger `upload` no run tells it which model to ask."""
        ...

    def may_run(self, arn: pulumi.Output[str], model_version: str) -> Sequence[iam.Statement]:
        """What the workflow that runs the model may do with it: look at it and start it."""
        ...

    def may_release(self, arn: pulumi.Output[str]) -> Sequence[iam.Statement]:
        """What the workflow that releases the model may do with it: look at it and stop it."""
        ...


class CustomLabels:
    """A Rekognition Custom Labels project: what `model.py` and the workflow files are written for."""

    function_module: Path | None = None

    def checked(self, arn: str, region: str, account: str, model_version: str) -> str:  # noqa: ARG002
        """The ARN of a project, if it is of this region and account.

        Rekognition lends nobody a model (a project policy can only allow copying it), and reads images of its own
        region only.

        Raises
        ------
        ValueError
            Names both places, or what the ARN is of, and what to do.
        """
        if "/version/" in arn:
            raise ValueError(
                f"{arn} is the ARN of a project version; the project's own ends in another timestamp (aws rekognition "
                "describe-projects)"
            )
        place = arn.split(":")[3:5]
        if place != [region, account]:
            # A copy stays in its region (Rekognition API reference, CopyProjectVersion).
            otherwise = (
                "copy the model version to a project of it (aws rekognition copy-project-version) and name that"
                if place[0] == region
                else "train the model in a project that is here and name that: a copy cannot leave its region"
            )
            raise ValueError(
                f"The project {arn} is not in {region} and account {account}, where this is deployed. Deploy to the "
                f"project's region (pulumi config set aws:region) and account, or {otherwise}"
            )
        return arn

    def state_changes(self, workflow: str) -> StateChanges:  # noqa: ARG002
        """The files are written for it."""
        return {}

    def may_detect(self, arn: pulumi.Output[str], *, finds_it_itself: bool) -> Sequence[iam.Statement]:
        """Ask any version; look for the one that runs."""
        statements = [iam.allow(["rekognition:DetectCustomLabels"], versions(arn))]
        if finds_it_itself:
            statements.append(iam.allow(["rekognition:DescribeProjectVersions"], arn))
        return statements

    def may_run(self, arn: pulumi.Output[str], model_version: str) -> Sequence[iam.Statement]:
        """Start the pinned version, or any."""
        return [
            iam.allow(["rekognition:DescribeProjectVersions"], arn),
            iam.allow(["rekognition:StartProjectVersion"], versions(arn, model_version or "*")),
        ]

    def may_release(self, arn: pulumi.Output[str]) -> Sequence[iam.Statement]:
        """Stop any version."""
        return [
            iam.allow(["rekognition:DescribeProjectVersions"], arn),
            iam.allow(["rekognition:StopProjectVersion"], versions(arn)),
        ]


def versions(project_arn: pulumi.Output[str], version: str = "*") -> pulumi.Output[str]:
    """Versions of the project, whose timestamps cannot be derived from the project's.

    What uses and stops a model may do so with every version: a run that is under way, or that died, has the
    version that was pinned when it began.
    """
    return project_arn.apply(lambda arn: f"{arn.rpartition('/')[0]}/version/{version}/*")
