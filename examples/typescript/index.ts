import * as aws from "@pulumi/aws";
import * as labels from "@pulumi/custom-labels-batch";
import * as pulumi from "@pulumi/pulumi";

const projectArn = new pulumi.Config().require("projectArn");
const stack = pulumi.getStack();

// The region of the project, whatever the rest of the stack is in.
const models = new aws.Provider("models", { region: projectArn.split(":")[3] as aws.Region });
const options: pulumi.ComponentResourceOptions = { providers: [models], protect: stack === "prod" };

const batch = new labels.BatchInference("batch", {
    projectArn: projectArn,
    schedule: "cron(0 6,18 ? * * *)",
    scheduleTimezone: "Europe/Berlin",
    maxInferenceUnits: 4,
    // crack is to be told of from 55, less than where labels count from (70).
    labelThresholds: { crack: 55 },
    tags: { owner: "vision-team", stack: stack },
}, options);

const notification = new labels.Notification("notification", {
    predictionsTopicArn: batch.predictionsTopicArn,
    labelsOfInterest: { crack: 55, scratch: 80 },
    notificationEmails: ["quality@example.com"],
    presignedUrlMinutes: 60,
    finalBucketName: batch.finalBucketName,
}, options);

const analytics = new labels.Analytics("analytics", {
    predictionsTopicArn: batch.predictionsTopicArn,
}, options);

// With the trigger `schedule`, which is the default, the workflow's outputs are there.
const there = (value: pulumi.Output<string | undefined>) => value.apply(found => found!);

const monitoring = new labels.Monitoring("monitoring", {
    imageQueueUrl: batch.imageQueueUrl,
    imageDeadLetterQueueUrl: batch.imageDeadLetterQueueUrl,
    analyzeFunctionName: batch.analyzeFunctionName,
    notificationDeadLetterQueueUrl: notification.deadLetterQueueUrl,
    notifyFunctionName: notification.notifyFunctionName,
    analyticsDeadLetterQueueUrl: analytics.deadLetterQueueUrl,
    recordFunctionName: analytics.recordFunctionName,
    stateMachineArn: there(batch.stateMachineArn),
    releaseStateMachineArn: there(batch.releaseStateMachineArn),
    scheduleArn: there(batch.scheduleArn),
    rescueDeadLetterQueueUrl: there(batch.rescueDeadLetterQueueUrl),
    projectArn: projectArn,
    maxRunMinutes: 1440,
    // Two pauses of the schedule, and what a run takes to reach an image.
    longestWaitMinutes: 1530,
    alarmEmails: ["operations@example.com"],
}, options);

// Nothing of these is destroyed while a run holds the model.
new labels.DestroyGuard("destroy-guard", {
    runsTableName: there(batch.runsTableName),
}, { ...options, dependsOn: [batch, notification, analytics, monitoring] });

export const sourceBucketName = batch.sourceBucketName;
export const finalBucketName = batch.finalBucketName;
export const athenaWorkgroup = analytics.athenaWorkgroup;
export const operationsDashboardUrl = monitoring.operationsDashboardUrl;
