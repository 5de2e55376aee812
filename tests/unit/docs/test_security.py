"""What docs/security.md says of data at rest, held against the program's resources."""

import re

import pytest

from sandbox.deploy import REPOSITORY
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import LOG_GROUP, QUEUE, TABLE, record_stack

TEXT = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
AT_REST = TEXT.partition("## Data at rest\n")[2].partition("\n## ")[0]
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
WORKGROUP = "aws:athena/workgroup:Workgroup"
DAY_SECONDS = 24 * 60 * 60


@pytest.fixture(scope="module")
def graph() -> Result:
    return record_stack()


def row(what: str) -> list[str]:
    """The cells of a row of the table of data at rest."""
    (found,) = (line for line in AT_REST.splitlines() if line.startswith(f"| {what} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def days(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def test_queues_keep_messages_as_long_as_it_says(graph: Result) -> None:
    waiting, dead = days(row("queues")[3])

    for queue in graph.of_type(QUEUE):
        expected = dead if queue.name.endswith("-dlq") else waiting
        assert queue.properties["messageRetentionSeconds"] == expected * DAY_SECONDS, queue.name


def test_buckets_are_encrypted_and_forget_old_versions_as_it_says(graph: Result) -> None:
    assert {row(f"{name} bucket")[2].split(";")[0] for name in ("source", "final")} == {"SSE-S3"}
    for bucket in graph.of_type(ENCRYPTION):
        (rule,) = bucket.properties["rules"]
        assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256", bucket.name
        assert rule["bucketKeyEnabled"], bucket.name
    for bucket in graph.of_type(LIFECYCLE):
        (kept,) = (r["noncurrentVersionExpiration"] for r in bucket.properties["rules"] if not r["filter"]["prefix"])
        assert [kept["noncurrentDays"]] == days(row("source bucket")[3]), bucket.name


def test_query_results_are_encrypted_and_expire_as_it_says(graph: Result) -> None:
    _, _, encryption, kept = row("analytics bucket, `athena-results/`")
    (workgroup,) = graph.of_type(WORKGROUP)
    (rules,) = (b.properties["rules"] for b in graph.of_type(LIFECYCLE) if b.name.startswith("analytics"))

    assert encryption == "SSE-S3, enforced by the workgroup"
    assert workgroup.properties["configuration"]["enforceWorkgroupConfiguration"]
    result = workgroup.properties["configuration"]["resultConfiguration"]
    assert result["encryptionConfiguration"]["encryptionOption"] == "SSE_S3"
    assert [r["expiration"]["days"] for r in rules if r["filter"]["prefix"] == "athena-results/"] == days(kept)


def test_logs_and_records_are_kept_as_long_as_it_says(graph: Result) -> None:
    assert {group.properties["retentionInDays"] for group in graph.of_type(LOG_GROUP)} == set(
        days(row("functions' logs")[3])
    )
    (table,) = graph.of_type(TABLE)
    assert table.properties["pointInTimeRecovery"]["enabled"]
    assert table.properties["ttl"]["enabled"]
    assert days(row("runs table")[3]) == [400, 35]
