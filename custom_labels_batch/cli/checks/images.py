"""Images on their way."""

from collections.abc import Iterator

from custom_labels_batch.cli.findings import Finding, ok, problem
from custom_labels_batch.cli.queues import depth, queue_arn
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.cli.stack_status import queues_of
from custom_labels_batch.cli.wording import count


def dead_letters(stack: Stack) -> Iterator[Finding]:
    """Whether a message is in a dead-letter queue."""
    found = {name: depth(stack.sqs, stack.output(dead)).total for name, (_, dead) in queues_of(stack).items()}
    for name, messages in found.items():
        if messages:
            yield problem(
                "dead letters",
                f"{count(messages, 'message')} of {name}",
                "clb redrive --dry-run says why; mend that, then clb redrive",
            )
    rescue = stack.optional("rescueDeadLetterQueueUrl")
    if rescue and (messages := depth(stack.sqs, rescue).total):
        yield problem(
            "dead letters",
            f"{count(messages, 'failed run')} for which release_model could not be started",
            "see that the model is stopped (clb status), then purge the queue: aws sqs purge-queue --queue-url "
            + rescue,
        )
    elif not any(found.values()):
        yield ok("dead letters", "none")


def uploads(stack: Stack) -> Iterator[Finding]:
    """Whether the source bucket announces what is uploaded."""
    bucket = stack.output("sourceBucketName")
    answer = stack.s3.get_bucket_notification_configuration(Bucket=bucket)
    if "EventBridgeConfiguration" in answer:
        yield _rule(stack, bucket)
    else:
        yield problem(
            "uploads",
            f"{bucket} does not tell EventBridge of uploads: none is labelled",
            "pulumi up --refresh, or for a bucket of your own: docs/deploy.md, An existing source bucket",
        )


def _rule(stack: Stack, bucket: str) -> Finding:
    """Whether EventBridge passes on what the bucket tells it."""
    events, queue = stack.client("events"), queue_arn(stack.sqs, stack.output("imageQueueUrl"))
    names = events.list_rule_names_by_target(TargetArn=queue)["RuleNames"]
    if any(events.describe_rule(Name=name)["State"].startswith("ENABLED") for name in names):
        return ok("uploads", f"{bucket} tells EventBridge, and a rule passes it on to the image queue")
    off = f"the rule {', '.join(names)} is switched off"
    what = off if names else "no rule passes its events on to the image queue"
    return problem("uploads", f"{what}: no upload is labelled", "pulumi up --refresh, then clb backfill --all")
