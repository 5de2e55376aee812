"""S3 buckets and their settings, each a resource of its own in pulumi-aws 7."""

from typing import Any

from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created, Properties
from sandbox.deployer.registry import creates, deletes, updates

_BUCKET = "aws:s3/bucket:Bucket"
_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
_OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
_PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"

# Where S3's name is not the Pulumi name with a capital.
_LIFECYCLE_NAMES = {"id": "ID"}


@creates(_BUCKET, replaced_by=["objectLockEnabled"])
def create_bucket(cloud: Cloud, args: Request) -> Created:
    """Make a bucket; `forceDestroy` counts when it is removed."""
    name = args["bucket"]
    args.skip("forceDestroy")
    where: dict[str, Any] = {}
    if cloud.region != "us-east-1":
        where = {"CreateBucketConfiguration": {"LocationConstraint": cloud.region}}
    cloud.s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=args.get("objectLockEnabled", False), **where)
    tags = args.plain("tagsAll")
    if tags:
        cloud.s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
    return Created(name, bucket_outputs(name, cloud.region))


@updates(_BUCKET)
def update_bucket(_cloud: Cloud, args: Request, _made: Created) -> None:
    """Note `forceDestroy`, which counts when the bucket is removed; all else is a resource of its own."""
    args.skip("forceDestroy")


@deletes(_BUCKET)
def delete_bucket(cloud: Cloud, made: Created) -> None:
    """Remove a bucket; with `forceDestroy` everything in it first, else S3 refuses if it holds anything."""
    if made.outputs.get("forceDestroy"):
        for page in cloud.s3.get_paginator("list_object_versions").paginate(Bucket=made.id):
            for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                cloud.s3.delete_object(Bucket=made.id, Key=entry["Key"], VersionId=entry["VersionId"])
    cloud.s3.delete_bucket(Bucket=made.id)


def bucket_outputs(name: str, region: str) -> Properties:
    """Everything a program may know of a bucket by its name alone."""
    return {
        "arn": f"arn:aws:s3:::{name}",
        "bucket": name,
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegion": region,
        "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
    }


@creates(_VERSIONING, replaced_by=["bucket"], overwrites=True)
def create_versioning(cloud: Cloud, args: Request) -> Created:
    """Set a bucket's versioning."""
    status = args["versioningConfiguration"]["status"]
    cloud.s3.put_bucket_versioning(Bucket=args["bucket"], VersioningConfiguration={"Status": status})
    return Created(args["bucket"], {})


@deletes(_VERSIONING)
def delete_versioning(cloud: Cloud, made: Created) -> None:
    """Suspend versioning: once on, it cannot be taken away."""
    cloud.s3.put_bucket_versioning(Bucket=made.id, VersioningConfiguration={"Status": "Suspended"})


@creates(_ENCRYPTION, replaced_by=["bucket"], overwrites=True)
def create_encryption(cloud: Cloud, args: Request) -> Created:
    """Set a bucket's default encryption."""
    rules: list[Any] = []
    for rule in args["rules"]:
        default = rule.get("applyServerSideEncryptionByDefault", Arguments({}))
        names = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
        rules.append(
            {
                "ApplyServerSideEncryptionByDefault": default.renamed(names),
                "BucketKeyEnabled": rule.get("bucketKeyEnabled", False),
            }
        )
    cloud.s3.put_bucket_encryption(Bucket=args["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})
    return Created(args["bucket"], {})


@deletes(_ENCRYPTION)
def delete_encryption(cloud: Cloud, made: Created) -> None:
    """Back to S3's own default."""
    cloud.s3.delete_bucket_encryption(Bucket=made.id)


@creates(_LIFECYCLE, replaced_by=["bucket"], overwrites=True)
def create_lifecycle(cloud: Cloud, args: Request) -> Created:
    """Set a bucket's lifecycle rules; a rule without a filter covers every key, as the provider has it."""
    rules = [_pascal(rule) for rule in args.plain("rules")]
    for rule in rules:
        if "Prefix" not in rule:
            rule["Filter"] = rule.get("Filter") or {"Prefix": ""}
    cloud.s3.put_bucket_lifecycle_configuration(Bucket=args["bucket"], LifecycleConfiguration={"Rules": rules})
    return Created(args["bucket"], {})


@deletes(_LIFECYCLE)
def delete_lifecycle(cloud: Cloud, made: Created) -> None:
    """Remove every lifecycle rule."""
    cloud.s3.delete_bucket_lifecycle(Bucket=made.id)


@creates(_PUBLIC_ACCESS, replaced_by=["bucket"], overwrites=True)
def create_public_access_block(cloud: Cloud, args: Request) -> Created:
    """Block public access; what is not given is off, as in the provider."""
    args.skip("skipDestroy")
    cloud.s3.put_public_access_block(
        Bucket=args["bucket"],
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": args.get("blockPublicAcls", False),
            "BlockPublicPolicy": args.get("blockPublicPolicy", False),
            "IgnorePublicAcls": args.get("ignorePublicAcls", False),
            "RestrictPublicBuckets": args.get("restrictPublicBuckets", False),
        },
    )
    return Created(args["bucket"], {})


@deletes(_PUBLIC_ACCESS)
def delete_public_access_block(cloud: Cloud, made: Created) -> None:
    """Remove the block."""
    cloud.s3.delete_public_access_block(Bucket=made.id)


@creates(_OWNERSHIP, replaced_by=["bucket"], overwrites=True)
def create_ownership_controls(cloud: Cloud, args: Request) -> Created:
    """Set who owns uploaded objects."""
    cloud.s3.put_bucket_ownership_controls(
        Bucket=args["bucket"],
        OwnershipControls={"Rules": [{"ObjectOwnership": args["rule"]["objectOwnership"]}]},
    )
    return Created(args["bucket"], {})


@deletes(_OWNERSHIP)
def delete_ownership_controls(cloud: Cloud, made: Created) -> None:
    """Back to S3's default."""
    cloud.s3.delete_bucket_ownership_controls(Bucket=made.id)


@creates(_POLICY, replaced_by=["bucket"], overwrites=True)
def create_bucket_policy(cloud: Cloud, args: Request) -> Created:
    """Set a bucket's policy."""
    cloud.s3.put_bucket_policy(Bucket=args["bucket"], Policy=args["policy"])
    return Created(args["bucket"], {})


@deletes(_POLICY)
def delete_bucket_policy(cloud: Cloud, made: Created) -> None:
    """Remove the policy."""
    cloud.s3.delete_bucket_policy(Bucket=made.id)


@creates(_NOTIFICATION, replaced_by=["bucket"], overwrites=True)
def create_notification(cloud: Cloud, args: Request) -> Created:
    """Switch EventBridge on or off; it replaces a bucket's whole notification configuration, as on AWS."""
    configuration: Any = {"EventBridgeConfiguration": {}} if args.get("eventbridge") else {}
    cloud.s3.put_bucket_notification_configuration(Bucket=args["bucket"], NotificationConfiguration=configuration)
    return Created(args["bucket"], {})


@deletes(_NOTIFICATION)
def delete_notification(cloud: Cloud, made: Created) -> None:
    """Remove every notification."""
    cloud.s3.put_bucket_notification_configuration(Bucket=made.id, NotificationConfiguration={})


def _pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {_LIFECYCLE_NAMES.get(key, key[0].upper() + key[1:]): _pascal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_pascal(item) for item in value]
    return value
