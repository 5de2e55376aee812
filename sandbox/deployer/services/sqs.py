"""SQS queues and their policies."""

from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created, Properties, Registration
from sandbox.deployer.permissions import require_service_access
from sandbox.deployer.registry import creates, deletes, updates

_QUEUE = "aws:sqs/queue:Queue"
_QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
_REDRIVE_ALLOW = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"

_ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_DEFAULTS = {
    "ContentBasedDeduplication": False,
    "DelaySeconds": 0,
    "KmsDataKeyReusePeriodSeconds": 300,
    "MaximumMessageSize": 1_048_576,
    "MessageRetentionPeriod": 345_600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "SqsManagedSseEnabled": True,
    "VisibilityTimeout": 30,
}
"""SQS's own (API reference, SetQueueAttributes); policies and keys are emptied."""


@creates(_QUEUE, replaced_by=["fifoQueue"])
def create_queue(cloud: Cloud, args: Request) -> Created:
    """Make a queue."""
    given = args.renamed(_ATTRIBUTES)
    attributes = {name: attribute_text(value) for name, value in given.items() if value is not False}
    if given.get("SqsManagedSseEnabled") is False:
        attributes["SqsManagedSseEnabled"] = "false"
    url = cloud.sqs.create_queue(
        QueueName=args["name"],
        Attributes=attributes,  # type: ignore[arg-type]
        tags=args.plain("tagsAll"),
    )["QueueUrl"]
    return Created(url, _actual(cloud, url))


def _actual(cloud: Cloud, url: str) -> Properties:
    actual = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return {
        "arn": actual["QueueArn"],
        "messageRetentionSeconds": int(actual["MessageRetentionPeriod"]),
        "url": url,
        "visibilityTimeoutSeconds": int(actual["VisibilityTimeout"]),
    }


@updates(_QUEUE)
def update_queue(cloud: Cloud, args: Request, made: Created) -> Properties:
    """Change a queue's attributes; one that is given no longer goes back to SQS's default."""
    given = args.renamed(_ATTRIBUTES)
    names = [attribute for key, attribute in _ATTRIBUTES.items() if key in args.changed]
    attributes = {name: attribute_text(given.get(name, _DEFAULTS.get(name, ""))) for name in names}
    cloud.sqs.set_queue_attributes(QueueUrl=made.id, Attributes=attributes)  # type: ignore[arg-type]
    return _actual(cloud, made.id)


@deletes(_QUEUE)
def delete_queue(cloud: Cloud, made: Created) -> None:
    """Remove a queue with everything in it."""
    cloud.sqs.delete_queue(QueueUrl=made.id)


@creates(_QUEUE_POLICY, replaced_by=["queueUrl"], overwrites=True)
def create_queue_policy(cloud: Cloud, args: Request) -> Created:
    """Set a queue's policy."""
    cloud.sqs.set_queue_attributes(QueueUrl=args["queueUrl"], Attributes={"Policy": args["policy"]})
    return Created(args["queueUrl"], {})


@deletes(_QUEUE_POLICY)
def delete_queue_policy(cloud: Cloud, made: Created) -> None:
    """Remove the policy."""
    cloud.sqs.set_queue_attributes(QueueUrl=made.id, Attributes={"Policy": ""})


@creates(_REDRIVE_ALLOW, replaced_by=["queueUrl"], overwrites=True)
def create_redrive_allow_policy(cloud: Cloud, args: Request) -> Created:
    """Say which queues may use this one as their dead-letter queue."""
    attributes = {"RedriveAllowPolicy": args["redriveAllowPolicy"]}
    cloud.sqs.set_queue_attributes(QueueUrl=args["queueUrl"], Attributes=attributes)  # type: ignore[arg-type]
    return Created(args["queueUrl"], {})


@deletes(_REDRIVE_ALLOW)
def delete_redrive_allow_policy(cloud: Cloud, made: Created) -> None:
    """Back to the default: every queue of the account may."""
    cloud.sqs.set_queue_attributes(QueueUrl=made.id, Attributes={"RedriveAllowPolicy": ""})


def require_queue_access(cloud: Cloud, resource: Registration, queue_arn: str, service: str, source_arn: str) -> None:
    """Check that a queue of this deployment lets a service send, by a policy that is made before the resource.

    A queue of somebody else's is theirs to open, before or after.

    Raises
    ------
    SandboxError
        Naming the queue, the service and what to add.
    """
    mine = {queue.id: queue for queue in cloud.made(_QUEUE) if queue.outputs["arn"] == queue_arn}
    if not mine:
        return
    policies = [made for made in cloud.made_before(resource, _QUEUE_POLICY) if made.id in mine]
    inline = next(iter(mine.values())).properties.get("policy")
    document = policies[-1].properties["policy"] if policies else inline
    remedy = f"give it a QueuePolicy that does, and let {resource.name} depend on it"
    require_service_access(document, service, "sqs:SendMessage", queue_arn, source_arn, remedy)


def attribute_text(value: object) -> str:
    """An attribute as SQS and SNS take it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
