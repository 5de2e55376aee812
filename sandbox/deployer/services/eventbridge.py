"""EventBridge rules and their targets."""

from typing import Any

from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.permissions import require_allowed, require_service_access, require_trust
from sandbox.deployer.registry import creates, deletes
from sandbox.errors import SandboxError

_RULE = "aws:cloudwatch/eventRule:EventRule"
_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
_QUEUE = "aws:sqs/queue:Queue"
_QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"

_SERVICE = "events.amazonaws.com"


@creates(_RULE, replaced_by=["eventBusName"], overwrites=True)
def create_rule(cloud: Cloud, args: Request) -> Created:
    """Make a rule on an event bus."""
    args.skip("forceDestroy")
    bus = args.get("eventBusName", "default")
    given: dict[str, Any] = args.renamed(
        {
            "description": "Description",
            "eventPattern": "EventPattern",
            "roleArn": "RoleArn",
            "scheduleExpression": "ScheduleExpression",
            "state": "State",
        }
    )
    if "isEnabled" in args:
        given["State"] = "ENABLED" if args["isEnabled"] else "DISABLED"
    if not given.keys() & {"EventPattern", "ScheduleExpression"}:
        raise SandboxError("a rule needs an eventPattern or a scheduleExpression")
    arn = cloud.events.put_rule(Name=args["name"], EventBusName=bus, Tags=tag_list(args.plain("tagsAll")), **given)[
        "RuleArn"
    ]
    id_ = args["name"] if bus == "default" else f"{bus}/{args['name']}"
    return Created(id_, {"arn": arn, "eventBusName": bus})


@deletes(_RULE)
def delete_rule(cloud: Cloud, made: Created) -> None:
    """Remove a rule."""
    cloud.events.delete_rule(Name=made.outputs["name"], EventBusName=made.outputs["eventBusName"])


@creates(_TARGET, replaced_by=["eventBusName", "rule"], overwrites=True)
def create_target(cloud: Cloud, args: Request) -> Created:
    """Give a rule a target that it can reach."""
    args.skip("forceDestroy")
    rule, bus = args["rule"], args.get("eventBusName", "default")
    target: dict[str, Any] = {"Id": args["targetId"], "Arn": args["arn"]}
    target |= args.renamed({"input": "Input", "inputPath": "InputPath", "roleArn": "RoleArn"})
    target |= if_undelivered(args)
    if "inputTransformer" in args:
        names = {"inputPaths": "InputPathsMap", "inputTemplate": "InputTemplate"}
        target["InputTransformer"] = args["inputTransformer"].renamed(names)
    _check_reachable(cloud, args.resource, rule, bus, target)
    answer = cloud.events.put_targets(Rule=rule, EventBusName=bus, Targets=[target])  # type: ignore[list-item]
    if answer["FailedEntryCount"]:
        raise SandboxError(f"PutTargets refused: {answer['FailedEntries'][0].get('ErrorMessage')}")
    return Created(f"{rule}-{args['targetId']}", {"eventBusName": bus})


@deletes(_TARGET)
def delete_target(cloud: Cloud, made: Created) -> None:
    """Take a target from its rule."""
    cloud.events.remove_targets(
        Rule=made.outputs["rule"], EventBusName=made.outputs["eventBusName"], Ids=[made.outputs["targetId"]]
    )


def if_undelivered(args: Arguments) -> dict[str, Any]:
    """What EventBridge and its Scheduler do with what a target does not take."""
    found: dict[str, Any] = {}
    if "retryPolicy" in args:
        names = {
            "maximumEventAgeInSeconds": "MaximumEventAgeInSeconds",
            "maximumRetryAttempts": "MaximumRetryAttempts",
        }
        found["RetryPolicy"] = args["retryPolicy"].renamed(names)
    if "deadLetterConfig" in args:
        found["DeadLetterConfig"] = {"Arn": args["deadLetterConfig"]["arn"]}
    return found


def _check_reachable(cloud: Cloud, resource: Registration, rule: str, bus: str, target: dict[str, Any]) -> None:
    """Refuse what AWS takes and then drops: EventBridge finds a missing permission only when it delivers."""
    rule_arn = cloud.events.describe_rule(Name=rule, EventBusName=bus)["Arn"]
    dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
    for queue_arn in filter(None, [target["Arn"], dead_letters]):
        if queue_arn.split(":")[2] == "sqs":
            _check_queue_takes_events(cloud, resource, queue_arn, rule_arn)
    if target["Arn"].split(":")[2] == "states":
        if "RoleArn" not in target:
            raise SandboxError("a rule that starts a state machine needs a roleArn")
        require_trust(cloud, target["RoleArn"], _SERVICE, rule_arn)
        require_allowed(cloud, resource, target["RoleArn"], ["states:StartExecution"], target["Arn"], f"rule {rule}")


def _check_queue_takes_events(cloud: Cloud, resource: Registration, queue_arn: str, rule_arn: str) -> None:
    mine = {queue.id for queue in cloud.made(_QUEUE) if queue.outputs["arn"] == queue_arn}
    if mine:
        policies = [p for p in cloud.made_before(resource, _QUEUE_POLICY) if p.id in mine]
        document = policies[0].properties["policy"] if policies else None
    else:
        url = cloud.sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
        attributes = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        document = attributes.get("Attributes", {}).get("Policy")
    remedy = "give it a QueuePolicy that does, and let the target depend on it"
    require_service_access(document, _SERVICE, "sqs:SendMessage", queue_arn, rule_arn, remedy)
