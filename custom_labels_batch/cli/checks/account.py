"""Who asks, and what they may do."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels_batch.cli import aws_errors
from custom_labels_batch.cli.findings import Finding, ok, problem, warning
from custom_labels_batch.cli.stack import Stack, configured_region

_ROOT = re.compile(r"arn:[a-z-]+:iam::\d+:root")
_ASSUMED = re.compile(r"arn:([a-z-]+):sts::(\d+):assumed-role/([^/]+)/.*")


def credentials(stack: Stack) -> Iterator[Finding]:
    """Whether there are credentials, and for the stack's account."""
    try:
        caller = stack.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield problem("credentials", aws_errors.told(error), "nothing else was checked")
        return
    if caller["Account"] == stack.account:
        yield ok("credentials", f"{caller['Arn']}")
    else:
        yield problem(
            "credentials",
            f"{caller['Arn']} is of account {caller['Account']}, and the stack of account {stack.account}",
            "choose the other account's profile with AWS_PROFILE",
        )


def region(stack: Stack) -> Iterator[Finding]:
    """Whether what the AWS CLI would be asked for is where the stack is."""
    own = configured_region()
    if stack.endpoint_url or own == stack.region:
        yield ok("region", stack.region)
    elif own is None:
        yield ok("region", f"{stack.region}; AWS_REGION is not set, which clb does not need and the AWS CLI does")
    else:
        yield warning(
            "region",
            f"the stack is in {stack.region}; your AWS configuration says {own}",
            f"for the AWS CLI: export AWS_REGION={stack.region}",
        )


def permissions(stack: Stack) -> Iterator[Finding]:
    """Whether the caller may do what the other commands do, by IAM's own simulation."""
    caller = stack.client("sts").get_caller_identity()["Arn"]
    if _ROOT.fullmatch(caller):
        yield ok("permissions", "the account's root may do everything")
        return
    iam = stack.client("iam")
    principal = caller
    if assumed := _ASSUMED.fullmatch(caller):
        principal = iam.get_role(RoleName=assumed[3])["Role"]["Arn"]  # with its path, which STS leaves out
    denied = {
        action
        for resource, actions in needed(stack).items()
        for action in _denied(iam, principal, resource, actions, stack)
    }
    if denied:
        yield warning(
            "permissions",
            f"{principal} may not {', '.join(sorted(denied))}, by IAM's simulation",
            "the commands that need these fail; whoever gives you rights has to allow them",
        )
    else:
        yield ok("permissions", "nothing that the commands need is refused by IAM's simulation")


def _denied(iam: Any, principal: str, resource: str, actions: list[str], stack: Stack) -> Iterator[str]:
    answer = iam.simulate_principal_policy(
        PolicySourceArn=principal,
        ActionNames=actions,
        ResourceArns=[resource],
        ContextEntries=[
            {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}
            for name, value, kind in (
                ("aws:RequestedRegion", stack.region, "string"),
                ("aws:SecureTransport", "true", "boolean"),
            )
        ],
    )
    for result in answer["EvaluationResults"]:
        # What hangs on something that only a real call has, as on MFA, may well be allowed then.
        may_be = result["EvalDecision"] == "implicitDeny" and result.get("MissingContextValues")
        if result["EvalDecision"] != "allowed" and not may_be:
            yield result["EvalActionName"]


def needed(stack: Stack) -> dict[str, list[str]]:
    """Resource -> what the commands do with it."""
    partition, _, place, account = stack.output("predictionsTopicArn").split(":")[1:5]
    table = f"{stack.output('athenaDatabase')}/{stack.output('athenaTable')}"
    name = {queue: stack.output(f"{queue}QueueUrl").rpartition("/")[2] for queue in ("image", "imageDeadLetter")}
    found = {
        f"arn:{partition}:sqs:{place}:{account}:{name['image']}": ["sqs:GetQueueAttributes", "sqs:SendMessage"],
        f"arn:{partition}:sqs:{place}:{account}:{name['imageDeadLetter']}": [
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:StartMessageMoveTask",
            "sqs:ListMessageMoveTasks",
        ],
        f"arn:{partition}:s3:::{stack.output('sourceBucketName')}/*": ["s3:PutObject", "s3:GetObject"],
        f"arn:{partition}:s3:::{stack.output('sourceBucketName')}": ["s3:ListBucket", "s3:ListBucketVersions"],
        f"arn:{partition}:s3:::{stack.output('finalBucketName')}": ["s3:ListBucket"],
        f"arn:{partition}:s3:::{stack.output('finalBucketName')}/*": ["s3:GetObject"],
        f"arn:{partition}:s3:::{stack.output('analyticsBucketName')}": ["s3:ListBucket", "s3:GetBucketLocation"],
        f"arn:{partition}:s3:::{stack.output('analyticsBucketName')}/*": ["s3:GetObject", "s3:PutObject"],
        f"arn:{partition}:athena:{place}:{account}:workgroup/{stack.output('athenaWorkgroup')}": [
            "athena:StartQueryExecution",
            "athena:GetQueryExecution",
            "athena:StopQueryExecution",
        ],
        f"arn:{partition}:glue:{place}:{account}:database/{stack.output('athenaDatabase')}": ["glue:GetDatabase"],
        f"arn:{partition}:glue:{place}:{account}:table/{table}": ["glue:GetTable"],
        stack.output("projectArn"): ["rekognition:DescribeProjectVersions"],
        f"arn:{partition}:lambda:{place}:{account}:event-source-mapping:{stack.output('eventSourceMappingUuid')}": [
            "lambda:GetEventSourceMapping",
            "lambda:UpdateEventSourceMapping",
        ],
        "*": ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"],
    }
    if stack.is_scheduled:
        run, release = stack.output("stateMachineArn"), stack.output("releaseStateMachineArn")
        executions = run.replace(":stateMachine:", ":execution:") + ":*"
        found |= {
            run: ["states:StartExecution", "states:ListExecutions"],
            release: ["states:StartExecution", "states:ListExecutions"],
            executions: ["states:DescribeExecution", "states:StopExecution"],
            f"arn:{partition}:dynamodb:{place}:{account}:table/{stack.output('runsTableName')}": [
                "dynamodb:GetItem",
                "dynamodb:Query",
            ],
            stack.output("scheduleArn"): ["scheduler:GetSchedule", "scheduler:UpdateSchedule"],
        }
    return found
