"""What each component needs at least, and everything it takes, as another language sends it."""

from typing import Any

ACCOUNT = "123456789012"
PROJECT_ARN = f"arn:aws:rekognition:us-east-1:{ACCOUNT}:project/surfaces/1793491200000"
TOPIC_ARN = f"arn:aws:sns:us-east-1:{ACCOUNT}:predictions"
QUEUE_URL = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/images"
STATE_MACHINE_ARN = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:run"

COMMON: dict[str, Any] = {
    "logRetentionDays": 90,
    "powertoolsLayerArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:powertools:1",
    "tags": {"owner": "vision-team"},
}

LEAST: dict[str, dict[str, Any]] = {
    "BatchInference": {"projectArn": PROJECT_ARN},
    "Notification": {"predictionsTopicArn": TOPIC_ARN},
    "Analytics": {"predictionsTopicArn": TOPIC_ARN},
    "Monitoring": {
        "imageQueueUrl": QUEUE_URL,
        "imageDeadLetterQueueUrl": f"{QUEUE_URL}-dlq",
        "analyzeFunctionName": "analyze",
    },
    "DestroyGuard": {"runsTableName": "runs"},
}

EVERYTHING: dict[str, dict[str, Any]] = {
    "BatchInference": {
        **LEAST["BatchInference"],
        **COMMON,
        "modelVersion": "surfaces.2026-11-01T09.00.00",
        "trigger": "schedule",
        "schedule": "cron(0 6 ? * MON-FRI *)",
        "scheduleTimezone": "Europe/Berlin",
        "minConfidence": 80,
        "labelThresholds": {"crack": 55, "scratch": 62.5},
        "sourceBucketName": "acme-in",
        "finalBucketName": "acme-out",
        "imagePrefix": "photographs/",
        "maxInferenceUnits": 4,
        "tpsPerInferenceUnit": 5,
        "targetDrainMinutes": 30,
        "minBatchSize": 20,
        "maxQueueAgeMinutes": 10080,
        "maxRunMinutes": 240,
        "noncurrentVersionRetentionDays": 7,
        "runRetentionDays": 365,
        "summaryEmails": ["production@example.com"],
        "inferenceUnitHourPrice": 4.5,
        "dataBuckets": "delete",
        "forceDestroy": True,
    },
    "Notification": {
        **LEAST["Notification"],
        **COMMON,
        "labelsOfInterest": {"crack": 55, "scratch": 62.5},
        "notificationEmails": ["quality@example.com"],
        "subscriptions": [
            {
                "protocol": "firehose",
                "endpoint": f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/labels",
                "filterPolicy": {"labels": ["crack"], "highestConfidence": [{"numeric": [">=", 90]}]},
                "subscriptionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/subscribe",
            }
        ],
        "mode": "digest",
        "batchingWindowSeconds": 120,
        "presignedUrlMinutes": 60,
        "finalBucketName": "acme-out",
    },
    "Analytics": {
        **LEAST["Analytics"],
        **COMMON,
        "analyticsBucketName": "acme-rows",
        "databaseName": "acme_rows",
        "predictionRetentionDays": 730,
        "queryResultRetentionDays": 7,
        "noncurrentVersionRetentionDays": 7,
        "bytesScannedCutoffPerQuery": 10_485_760,
        "quickSightPrincipalArn": f"arn:aws:quicksight:us-east-1:{ACCOUNT}:user/default/ana",
        "dataBuckets": "delete",
        "forceDestroy": True,
    },
    "Monitoring": {
        **LEAST["Monitoring"],
        "notificationDeadLetterQueueUrl": f"{QUEUE_URL}-notification-dlq",
        "analyticsDeadLetterQueueUrl": f"{QUEUE_URL}-analytics-dlq",
        "notifyFunctionName": "notify",
        "recordFunctionName": "record",
        "stateMachineArn": STATE_MACHINE_ARN,
        "releaseStateMachineArn": f"{STATE_MACHINE_ARN}-release",
        "inferenceUnitHourPrice": 4.5,
        "scheduleArn": f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/group/run",
        "rescueDeadLetterQueueUrl": f"{QUEUE_URL}-rescue-dlq",
        "projectArn": PROJECT_ARN,
        "modelVersion": "surfaces.2026-11-01T09.00.00",
        "maxRunMinutes": 240,
        "longestWaitMinutes": 300,
        "alarmEmails": ["operations@example.com"],
        "dashboardName": "surfaces",
        "tags": {"owner": "vision-team"},
    },
    "DestroyGuard": {**LEAST["DestroyGuard"], **COMMON},
}
