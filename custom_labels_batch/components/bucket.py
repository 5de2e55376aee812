"""A private bucket: TLS only, encrypted, versioned, with replaced versions expired."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam


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
        force_destroy: bool,
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
        child = pulumi.ResourceOptions(parent=self)
        self.bucket = aws.s3.Bucket(name, bucket=bucket_name, force_destroy=force_destroy, opts=child)
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
        after_versioning = pulumi.ResourceOptions(parent=self, depends_on=[versioning])
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
                opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
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
