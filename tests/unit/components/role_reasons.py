"""Why each role of the stack has each of its rights, in the words that docs/security.md shows.

A right is named by its statement's first action and first resource, as `access.right` names it. A new one has no
reason, and fails the tests until somebody gives it one.
"""

from collections.abc import Mapping

_LOG = "its own log"
_DELIVERY = (
    "Step Functions sets its log delivery up with its caller's rights; AWS offers no ARN for these actions "
    "([Step Functions guide](https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html))"
)
_TAKE = "takes messages, gives back what failed, sooner or later"
_LOCK = "the model's lock, and the run's record"
_ALIVE = "is the lock's holder alive? An execution's name is random, so any execution of these two state machines"

ROLES: Mapping[str, str] = {
    "analytics-quicksight": "QuickSight's data source (`quickSightPrincipalArn` only): queries the rows",
    "analytics-record-predictions": "the function that writes rows",
    "batch-analyze-image": "the function that labels images, and the only one that deletes any",
    "batch-release-model": "the workflow that stops the model",
    "batch-release-model-schedule": "the guard's schedule",
    "batch-rescue": "the rule on runs that failed, timed out or were ended",
    "batch-run": "the workflow that runs the model",
    "batch-run-schedule": "the schedule of runs",
    "destroy-guard-refuse-destroy": "the function that refuses `pulumi destroy` while a run holds the model",
    "notification-notify-labels": "the function that tells people",
}
"""What each role is of."""

WHY: Mapping[str, Mapping[str, str]] = {
    "analytics-quicksight": {
        "athena:ListDataCatalogs *": "QuickSight asks for it before a query; AWS offers no ARN",
        "athena:GetQueryExecution analytics": "queries, in this stack's workgroup alone",
        "athena:GetDataCatalog athena datacatalog/AwsDataCatalog": "finds the view's columns",
        "glue:GetDatabase glue catalog": (
            "Athena reads the catalog with its caller's rights; Glue asks for catalog, database and `default`"
        ),
        "glue:GetPartition glue catalog": "the same, for the view and the table behind it",
        "s3:GetBucketLocation analytics-rows": "Athena asks for it, and lists what a query reads",
        "s3:GetObject analytics-rows/predictions/*": "the rows",
        "s3:AbortMultipartUpload analytics-rows/athena-results/*": "the results of its queries",
    },
    "analytics-record-predictions": {
        "logs:CreateLogStream analytics-record-predictions:*": _LOG,
        "s3:PutObject analytics-rows/predictions/*": "writes rows; it can read none",
        "sqs:ReceiveMessage analytics-predictions": _TAKE,
    },
    "batch-analyze-image": {
        "logs:CreateLogStream batch-analyze-image:*": _LOG,
        "s3:GetObject batch-source/*": (
            "Rekognition reads the image with this right; the copy does; the version that is done is deleted"
        ),
        "s3:GetObject batch-final/images/*": "has this version been done? Then the copy, and the JSON beside it",
        "s3:ListBucket batch-source": "else S3 answers 403 for an object that is gone, too",
        "sqs:ReceiveMessage batch-images": _TAKE,
        "rekognition:DetectCustomLabels rekognition project/surfaces/version/*/*": (
            "asks the model; a version's ARN ends in a timestamp that nobody knows before it is trained"
        ),
        "sns:Publish batch-predictions": "announces each image",
        "dynamodb:GetItem batch-runs": "which version has the run started? And counts what is done",
    },
    "batch-release-model": {
        "logs:CreateLogDelivery *": _DELIVERY,
        "dynamodb:GetItem batch-runs": _LOCK,
        "sqs:GetQueueAttributes batch-images": "is anything still in flight?",
        "lambda:GetEventSourceMapping batch-images": "closes the event source mapping",
        "rekognition:DescribeProjectVersions rekognition project/surfaces/1793491200000": "what runs? Is it stopped?",
        "rekognition:StopProjectVersion rekognition project/surfaces/version/*/*": "stops it",
        "sns:Publish batch-run-summaries": "the summary",
        "events:PutEvents events event-bus/default": "the event of a run's end, by that source alone",
        "cloudwatch:PutMetricData *": "two metrics, in the namespace `CustomLabelsBatch` alone; AWS offers no ARN",
        "states:DescribeExecution states execution:batch-run-*:*": _ALIVE,
    },
    "batch-release-model-schedule": {
        "states:StartExecution batch-release-model": "starts the guard every 15 minutes",
    },
    "batch-rescue": {
        "states:StartExecution batch-release-model": "starts the release of a run that is dead",
    },
    "batch-run": {
        "logs:CreateLogDelivery *": _DELIVERY,
        "dynamodb:GetItem batch-runs": _LOCK,
        "sqs:GetQueueAttributes batch-images": "how many images wait?",
        "lambda:GetEventSourceMapping batch-images": "opens the event source mapping",
        "rekognition:DescribeProjectVersions rekognition project/surfaces/1793491200000": "which version? Does it run?",
        "rekognition:StartProjectVersion rekognition project/surfaces/version/*/*": "starts it; it cannot stop one",
        "states:StartExecution batch-release-model": "has the model stopped",
        "states:StartExecution batch-run": "a run that is outgrown starts a bigger one",
        "states:DescribeExecution states execution:batch-run-*:*": _ALIVE,
    },
    "batch-run-schedule": {
        "states:StartExecution batch-run": "starts a run at each tick",
    },
    "destroy-guard-refuse-destroy": {
        "logs:CreateLogStream destroy-guard-refuse-destroy:*": _LOG,
        "dynamodb:GetItem batch-runs": "is there a lock?",
    },
    "notification-notify-labels": {
        "logs:CreateLogStream notification-notify-labels:*": _LOG,
        "sqs:ReceiveMessage notification-predictions": _TAKE,
        "sns:Publish notification-labels": "tells people",
        "s3:GetObject batch-final/images/*": (
            "`presignedUrlMinutes` only: a link shows what its signer may read, so labelled images and nothing else"
        ),
    },
}
"""Role -> right -> why."""
