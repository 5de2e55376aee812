"""A private bucket: TLS only, encrypted, versioned, with replaced versions expired."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.inputs import InputError

DATA_BUCKETS = ("delete", "retain", "protect")
"""What becomes of a bucket that is to be deleted or replaced."""


@dataclass(frozen=True)
class Keeping:
    """What becomes of a bucket when the stack is destroyed, or the bucket is replaced.

    Attributes
    ----------
    data_buckets
        `delete`: it goes, if it is empty. `retain`: it stays, with what makes it private, and is no longer Pulumi's.
        `protect`: as `retain`, and Pulumi refuses before it deletes anything.
    force_destroy
        With `delete`: it goes with what it holds.
    """

    data_buckets: str
    force_destroy: bool

    @classmethod
    def chosen(cls, args: Mapping[str, Any]) -> "Keeping":
        """What a component's inputs say; a bucket stays where they say nothing.

        Raises
        ------
        InputError
            There is no such choice, or `force_destroy` contradicts it.
        """
        force_destroy = bool(args.get("force_destroy", False))
        data_buckets = args.get("data_buckets") or ("delete" if force_destroy else "retain")
        if data_buckets not in DATA_BUCKETS:
            allowed = f"allowed is one of {', '.join(DATA_BUCKETS)}, such as 'retain'"
            raise InputError(f"data_buckets is {data_buckets!r}; {allowed}", "data_buckets")
        if force_destroy and data_buckets != "delete":
            raise InputError(
                f"data_buckets is {data_buckets!r}, which keeps buckets, and force_destroy is true, which deletes them "
                "with what they hold; leave one of them out",
                "data_buckets",
            )
        return cls(data_buckets, force_destroy)

    def options(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """For the bucket and each of its settings: one that stays without its policy would be open to plain HTTP.

        What is not asked for is left out, so that a component's own `opts` still count.
        """
        return pulumi.ResourceOptions(
            parent=parent,
            retain_on_delete=True if self.data_buckets != "delete" else None,
            protect=True if self.data_buckets == "protect" else None,
        )


class PrivateBucket(pulumi.ComponentResource):
    """An S3 bucket nobody outside the account can reach.

    `ready` holds what a program should wait for before it puts objects there.
    """

    bucket: aws.s3.Bucket
    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        bucket_name: pulumi.Input[str] | None,
        noncurrent_version_retention_days: int,
        keeping: Keeping,
        retention_days: Mapping[str, int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the bucket.

        Parameters
        ----------
        retention_days
            Key prefix -> days after which what is below it expires.
        """
        super().__init__("custom-labels-batch:index:PrivateBucket", name, None, opts)
        options = keeping.options(self)
        self.bucket = aws.s3.Bucket(name, bucket=bucket_name, force_destroy=keeping.force_destroy, opts=options)
        # They go with the bucket, not before it: one that cannot be deleted, since it holds objects, stays private.
        child = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(deleted_with=self.bucket))
        self.name, self.arn = self.bucket.bucket, self.bucket.arn
        block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        versioning = aws.s3.BucketVersioning(
            name, bucket=self.name, versioning_configuration={"status": "Enabled"}, opts=child
        )
        # Rules for noncurrent versions come after the versioning they are about.
        after_versioning = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[versioning]))
        self.ready = [
            versioning,
            aws.s3.BucketOwnershipControls(
                name, bucket=self.name, rule={"object_ownership": "BucketOwnerEnforced"}, opts=child
            ),
            aws.s3.BucketServerSideEncryptionConfiguration(
                name,
                bucket=self.name,
                rules=[
                    {
                        "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"},
                        "bucket_key_enabled": True,
                    }
                ],
                opts=child,
            ),
            aws.s3.BucketLifecycleConfiguration(
                name,
                bucket=self.name,
                rules=_lifecycle(noncurrent_version_retention_days, retention_days or {}),
                opts=after_versioning,
            ),
            aws.s3.BucketPolicy(
                name,
                bucket=self.name,
                policy=iam.document(
                    [iam.refuse_unencrypted_transport("s3", [self.arn, self.arn.apply(lambda arn: f"{arn}/*")])]
                ),
                opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[block])),
            ),
        ]
        self.register_outputs({"name": self.name, "arn": self.arn})


def _lifecycle(
    noncurrent_version_retention_days: int, retention_days: Mapping[str, int]
) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    rules: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": "expire-noncurrent-versions",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": noncurrent_version_retention_days},
            "expiration": {"expired_object_delete_marker": True},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        }
    ]
    rules += [
        {
            "id": f"expire-{prefix.strip('/')}",
            "status": "Enabled",
            "filter": {"prefix": prefix},
            "expiration": {"days": days},
        }
        for prefix, days in retention_days.items()
    ]
    return rules
