"""A Lambda function from this repository's `functions/`, with a role and a log group of its own."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.inputs import in_apply

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

POWERTOOLS_ACCOUNT = "017000801446"
POWERTOOLS_LAYER = "AWSLambdaPowertoolsPythonV3-python313-arm64:27"
"""AWS's public layer in the commercial partition (Powertools for AWS Lambda documentation); others have another ARN."""

METRICS_NAMESPACE = "CustomLabelsBatch"

MAX_ENVIRONMENT_BYTES = 4096
"""Of all variables together (AWS Lambda quotas)."""


class PythonFunction(pulumi.ComponentResource):
    """A function on Python 3.13, arm64 and Powertools, as plain source: a deployment needs no build step.

    `policy` is what an event source mapping must wait for: AWS checks the role's rights when it creates one.
    """

    function: aws.lambda_.Function
    policy: aws.iam.RolePolicy
    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        package: str,
        environment: Mapping[str, pulumi.Input[str]],
        statements: Sequence[iam.Statement],
        timeout_seconds: int,
        memory_megabytes: int,
        log_retention_days: int,
        powertools_layer_arn: pulumi.Input[str] | None,
        replaced: Mapping[str, Path] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("custom-labels-batch:index:PythonFunction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            name, name_prefix=f"/aws/lambda/{name}-", retention_in_days=log_retention_days, opts=child
        )
        write_logs = iam.allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"], logs.arn.apply(lambda arn: f"{arn.removesuffix(':*')}:*")
        )
        role, self.policy = iam.role(name, iam.assume_role("lambda"), [write_logs, *statements], child)
        self.function = aws.lambda_.Function(
            name,
            runtime="python3.13",
            architectures=["arm64"],
            handler=f"functions.{package}.handler.handler",
            code=source_archive(package, replaced or {}),
            role=role.arn,
            timeout=timeout_seconds,
            memory_size=memory_megabytes,
            layers=[powertools_layer_arn or _public_powertools_layer(self)],
            logging_config={"log_format": "JSON", "log_group": logs.name},
            environment={
                "variables": pulumi.Output.all(
                    **{
                        "POWERTOOLS_SERVICE_NAME": package.replace("_", "-"),
                        "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                        "POWERTOOLS_LOG_LEVEL": "INFO",
                        **environment,
                    }
                ).apply(lambda variables: in_apply(fitting, name, variables))
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.policy, logs]),
        )
        self.arn, self.name = self.function.arn, self.function.name
        self.register_outputs({"arn": self.arn, "name": self.name})


def fitting(name: str, variables: Mapping[str, str]) -> Mapping[str, str]:
    """A function's environment, if Lambda has room for it: it counts the JSON of all variables.

    Raises
    ------
    ValueError
        Names the function, its size, and the largest variable.
    """
    size = len(json.dumps(dict(variables), ensure_ascii=False).encode())
    if size > MAX_ENVIRONMENT_BYTES:
        largest = max(variables, key=lambda variable: len(variables[variable]))
        raise ValueError(
            f"The environment of {name} takes {size} bytes; {MAX_ENVIRONMENT_BYTES} fit. {largest} is the largest: "
            "name fewer or shorter labels"
        )
    return variables


def source_archive(package: str, replaced: Mapping[str, Path] | None = None) -> pulumi.AssetArchive:
    """The source of one function and of what the functions share, at the paths it is imported by.

    Files of the package in `replaced` are taken from elsewhere.

    File by file, sorted, and by absolute path: a folder archive would ship `__pycache__` and change its hash after
    every test run, and relative paths resolve against the caller's project.
    """
    files = [FUNCTIONS / "__init__.py", *FUNCTIONS.glob("shared/**/*.py"), *FUNCTIONS.glob(f"{package}/**/*.py")]
    elsewhere = {FUNCTIONS / package / name: path.resolve() for name, path in (replaced or {}).items()}
    return pulumi.AssetArchive(
        {
            path.relative_to(FUNCTIONS.parent).as_posix(): pulumi.FileAsset(str(elsewhere.get(path, path)))
            for path in sorted(files)
        }
    )


def _public_powertools_layer(parent: pulumi.Resource) -> pulumi.Output[str]:
    """The public layer in the region the component is deployed to."""
    options = pulumi.InvokeOptions(parent=parent)
    partition = aws.get_partition_output(opts=options).partition
    region = aws.get_region_output(opts=options).region

    def layer(found: Sequence[str]) -> str:
        if found[0] != "aws":
            raise ValueError(
                f"There is no known ARN of the public Powertools layer for the partition {found[0]!r}; look it up, or "
                "publish the layer in your account, and set powertoolsLayerArn to the ARN of its version"
            )
        return f"arn:aws:lambda:{found[1]}:{POWERTOOLS_ACCOUNT}:layer:{POWERTOOLS_LAYER}"

    return pulumi.Output.all(partition, region).apply(lambda found: in_apply(layer, found))
