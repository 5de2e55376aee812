"""What `doctor` looks at: each check is a function that answers findings, and knows of no other."""

from custom_labels_batch.cli.checks import account, images, model, people, quotas, runs
from custom_labels_batch.cli.findings import Check

CHECKS: tuple[Check, ...] = (
    account.region,
    account.permissions,
    model.project,
    model.neighbours,
    model.model_without_a_run,
    runs.lock,
    runs.mapping,
    runs.schedules,
    runs.guard,
    runs.last_run,
    images.dead_letters,
    images.uploads,
    people.subscriptions,
    people.alarms,
    quotas.inference_units,
    quotas.calls_a_second,
    quotas.concurrency,
)
"""In the order they are told."""
