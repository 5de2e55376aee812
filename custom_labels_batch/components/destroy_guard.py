"""Refuses `pulumi destroy` while a run holds the model."""

import json
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.function import PythonFunction
from custom_labels_batch.components.inputs import check_names, log_retention_days
from custom_labels_batch.components.naming import check_name, with_tags

TIMEOUT_SECONDS = 30
"""Three reads of one item, each retried."""


class DestroyGuardArgs(TypedDict):
    """Inputs of DestroyGuard."""

    runs_table_name: pulumi.Input[str]
    """Name of the table with the model's lock, which BatchInference has."""
    log_retention_days: NotRequired[int]
    """Days logs are kept, one of the periods that CloudWatch Logs has. Default: 30."""
    powertools_layer_arn: NotRequired[pulumi.Input[str]]
    """ARN of a version of the Powertools for AWS Lambda (Python) layer. Default: AWS's public one, which only the
    commercial partition has."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for every resource that takes tags."""


class DestroyGuard(pulumi.ComponentResource):
    """Refuses to let the resources that it depends on be destroyed while a run holds the model."""

    invocation_id: pulumi.Output[str]
    """Id of the invocation that is deleted first, and refuses."""

    # Deleting a state machine ends its executions, and nothing catches that. So the first thing to be deleted is an
    # invocation of a function, which fails then, and with it the whole destroy. A resource hook would ask the same, but
    # refuses every `pulumi destroy` without `--run-program`, run or no run.

    def __init__(self, name: str, args: DestroyGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        check_names(args, DestroyGuardArgs)
        super().__init__(
            "custom-labels-batch:index:DestroyGuard",
            name,
            None,
            with_tags(opts, {**args.get("tags", {}), "Component": "DestroyGuard"}),
        )
        options = pulumi.InvokeOptions(parent=self)
        table = pulumi.Output.format(
            "arn:{0}:dynamodb:{1}:{2}:table/{3}",
            aws.get_partition_output(opts=options).partition,
            aws.get_region_output(opts=options).region,
            aws.get_caller_identity_output(opts=options).account_id,
            args["runs_table_name"],
        )
        function = PythonFunction(
            f"{name}-refuse-destroy",
            package="refuse_destroy",
            environment={"RUNS_TABLE_NAME": args["runs_table_name"]},
            statements=[iam.allow(["dynamodb:GetItem"], table)],
            timeout_seconds=TIMEOUT_SECONDS,
            memory_megabytes=256,
            log_retention_days=log_retention_days(args),
            powertools_layer_arn=args.get("powertools_layer_arn"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        invocation = aws.lambda_.Invocation(
            name,
            function_name=function.name,
            input=json.dumps({}),
            lifecycle_scope="CRUD",
            # A component's dependencies are not its children's.
            opts=pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None),
        )
        self.invocation_id = invocation.id
        self.register_outputs({"invocationId": self.invocation_id})
