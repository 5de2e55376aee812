"""The policy of the batch sample that AWS published, as a small program to measure against.

Written from a description of what the sample does, not from its code: look at the queue once an hour; start one
inference unit and look again every 15 minutes; open the mapping, one image a call; hold the model for 59 minutes at a
time, until the queue is found empty; stop it.

Not copied are the sample's known faults: it reads only the first digit of the queue's count, garbles some keys, and
has no dead-letter queue. Two things differ because the sandbox has no other way: uploads reach the queue through
EventBridge (the sample's bucket notifications are free, a millionth of a dollar an image less), and who measures starts
the workflow every hour in place of the schedule.
"""

from pathlib import Path
from string import Template
from typing import Any

import pulumi
import pulumi_aws as aws

HERE = Path(__file__).resolve().parent
FUNCTION_TIMEOUT_SECONDS = 60

config = pulumi.Config()
model_version_arn = config.require("modelVersionArn")


def policy(*statements: dict[str, Any]) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: list[str], resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def role(name: str, service: str, *statements: dict[str, Any]) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    made = aws.iam.Role(name, assume_role_policy=policy(trust))
    return made, aws.iam.RolePolicy(name, role=made.name, policy=policy(*statements))


source = aws.s3.Bucket("source", force_destroy=True)
final = aws.s3.Bucket("final", force_destroy=True)
dead_letters = aws.sqs.Queue("images-dlq", message_retention_seconds=1209600)
queue = aws.sqs.Queue(
    "images",
    visibility_timeout_seconds=6 * FUNCTION_TIMEOUT_SECONDS,
    redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": 5}),
)
uploads = aws.cloudwatch.EventRule(
    "uploads",
    event_pattern=pulumi.Output.json_dumps(
        {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [source.bucket]}}}
    ),
)
queue_policy = aws.sqs.QueuePolicy(
    "images",
    queue_url=queue.url,
    policy=policy(
        allow(
            ["sqs:SendMessage"],
            queue.arn,
            Principal={"Service": "events.amazonaws.com"},
            Condition={"ArnEquals": {"aws:SourceArn": uploads.arn}},
        )
    ),
)
target = aws.cloudwatch.EventTarget(
    "uploads", rule=uploads.name, arn=queue.arn, opts=pulumi.ResourceOptions(depends_on=[queue_policy])
)
aws.s3.BucketNotification(
    "source", bucket=source.bucket, eventbridge=True, opts=pulumi.ResourceOptions(depends_on=[target])
)

function_role, function_policy = role(
    "label-image",
    "lambda",
    allow(["s3:GetObject", "s3:DeleteObject"], source.arn.apply(lambda arn: f"{arn}/*")),
    allow(["s3:PutObject"], final.arn.apply(lambda arn: f"{arn}/*")),
    allow(
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"], queue.arn
    ),
    allow(["rekognition:DetectCustomLabels"], model_version_arn),
    allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*"),
)
function = aws.lambda_.Function(
    "label-image",
    runtime="python3.13",
    architectures=["arm64"],
    handler="label_image.handler",
    code=pulumi.AssetArchive({"label_image.py": pulumi.FileAsset(str(HERE / "label_image.py"))}),
    role=function_role.arn,
    timeout=FUNCTION_TIMEOUT_SECONDS,
    memory_size=128,
    environment={"variables": {"MODEL_VERSION_ARN": model_version_arn, "FINAL_BUCKET_NAME": final.bucket}},
    opts=pulumi.ResourceOptions(depends_on=[function_policy]),
)
mapping = aws.lambda_.EventSourceMapping(
    "images",
    event_source_arn=queue.arn,
    function_name=function.arn,
    batch_size=1,
    enabled=False,
    opts=pulumi.ResourceOptions(depends_on=[function_policy]),
)

workflow_role, workflow_policy = role(
    "workflow",
    "states",
    allow(["sqs:GetQueueAttributes"], queue.arn),
    allow(["lambda:UpdateEventSourceMapping"], mapping.arn),
    allow(["rekognition:DescribeProjectVersions"], config.require("projectArn")),
    allow(["rekognition:StartProjectVersion", "rekognition:StopProjectVersion"], model_version_arn),
)
values = {
    "QueueUrl": queue.url,
    "MappingUuid": mapping.uuid,
    "ProjectArn": config.require("projectArn"),
    "ModelVersionArn": model_version_arn,
    "ModelVersionName": model_version_arn.split("/")[-2],
}
definition = (HERE / "workflow.asl.json").read_text(encoding="utf-8")
workflow = aws.sfn.StateMachine(
    "workflow",
    role_arn=workflow_role.arn,
    # safe_substitute leaves JSONata's own names, such as $states, alone.
    definition=pulumi.Output.all(**values).apply(lambda known: Template(definition).safe_substitute(known)),
    opts=pulumi.ResourceOptions(depends_on=[workflow_policy]),
)

pulumi.export("sourceBucketName", source.bucket)
pulumi.export("finalBucketName", final.bucket)
pulumi.export("imageQueueUrl", queue.url)
pulumi.export("imageDeadLetterQueueUrl", dead_letters.url)
pulumi.export("stateMachineArn", workflow.arn)
