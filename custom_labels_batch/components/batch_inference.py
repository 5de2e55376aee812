"""Labels images with a Rekognition Custom Labels model that runs only while there are images."""

import json
import math
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.bucket import Keeping, PrivateBucket
from custom_labels_batch.components.detector import CustomLabels, Detector
from custom_labels_batch.components.function import PythonFunction
from custom_labels_batch.components.inputs import InputError, check_names, in_apply, number, whole_number
from custom_labels_batch.components.naming import check_name, with_tags
from custom_labels_batch.components.queue import WorkQueue
from custom_labels_batch.components.scheduled_runs import Pipeline, RunInputs, ScheduledRuns, runs_table
from custom_labels_batch.components.topic import make_topic
from custom_labels_batch.components.uploads import queue_uploads
from custom_labels_batch.rules import limits
from custom_labels_batch.rules.limits import EXECUTIONS_PER_INFERENCE_UNIT

TRIGGERS = ("schedule", "upload")

BATCH_SIZE = 10
"""Messages a function call takes: the most that SQS hands out without a batching window."""


class BatchInferenceArgs(TypedDict):
    """Inputs of BatchInference."""

    project_arn: pulumi.Input[str]
    """ARN of the Rekognition Custom Labels project, of the region and account that this is deployed to."""
    model_version: NotRequired[str]
    """Name of the project version to run. Default: the newest one that can run."""
    trigger: NotRequired[str]
    """`schedule` (default): a workflow starts and stops the model. `upload`: you keep the model running."""
    schedule: NotRequired[pulumi.Input[str]]
    """EventBridge Scheduler expression: when to look for images. Default: `rate(1 hour)`."""
    schedule_timezone: NotRequired[pulumi.Input[str]]
    """IANA time zone of a cron schedule. Default: `UTC`."""
    min_confidence: NotRequired[float]
    """Confidence from which a label counts, 0 to 100. Default: 70."""
    label_thresholds: NotRequired[dict[str, float]]
    """Label -> confidence, 0 to 100, for labels that count from another confidence than the rest."""
    source_bucket_name: NotRequired[pulumi.Input[str]]
    """Physical name of the new source bucket. Default: made from the component's name."""
    existing_source_bucket_name: NotRequired[pulumi.Input[str]]
    """A bucket to take images from instead of a new one. Its EventBridge notifications must be switched on."""
    final_bucket_name: NotRequired[pulumi.Input[str]]
    """Physical name of the final bucket. Default: made from the component's name."""
    image_prefix: NotRequired[str]
    """Only objects whose key begins with this are images. Default: all."""
    max_inference_units: NotRequired[int]
    """Most inference units a run may start, 1 to 500. Default: 1."""
    tps_per_inference_unit: NotRequired[float]
    """DetectCustomLabels calls a second that one inference unit sustains, 0.1 to 100. Default: 5."""
    target_drain_minutes: NotRequired[int]
    """Minutes in which a run should work off its backlog, 1 to 1440. Default: 60."""
    min_batch_size: NotRequired[int]
    """Images that a run is started for, up to 1000000. Fewer wait for more, but not past `max_queue_age_minutes`.
    Default: 1."""
    max_queue_age_minutes: NotRequired[int]
    """Most minutes an image waits for a run to start, where runs succeed, 2 to 10080. Default: 1440."""
    max_run_minutes: NotRequired[int]
    """Cost guard: minutes after which a run ends and leaves the rest to the next, 5 to 43200. Default: 1440."""
    log_retention_days: NotRequired[int]
    """Days logs are kept, one of the periods that CloudWatch Logs has. Default: 30."""
    noncurrent_version_retention_days: NotRequired[int]
    """Days replaced and deleted objects are kept, 1 to 3650. Default: 30."""
    run_retention_days: NotRequired[int]
    """Days the record of a run is kept, 1 to 3650. Default: 400."""
    summary_emails: NotRequired[list[str]]
    """E-mail addresses that get a summary of each run; each confirms once, by a link AWS sends it."""
    inference_unit_hour_price: NotRequired[float]
    """USD that an inference unit costs an hour, for those summaries. Default: 4."""
    data_buckets: NotRequired[str]
    """What becomes of buckets that are to be deleted or replaced: `retain` leaves them, as private as they are;
    `protect` refuses that, until it is changed, and retains; `delete` deletes them if they are empty. Default:
    `retain`, or `delete` with `force_destroy`."""
    force_destroy: NotRequired[bool]
    """With `data_buckets` `delete`: whether buckets are deleted with the objects they hold. Default: false."""
    powertools_layer_arn: NotRequired[pulumi.Input[str]]
    """ARN of a version of the Powertools for AWS Lambda (Python) layer. Default: AWS's public one, which only the
    commercial partition has."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for every resource that takes tags."""


class BatchInference(pulumi.ComponentResource):
    """Source bucket, queue, function, final bucket and predictions topic; with `schedule`, the workflows too."""

    source_bucket_name: pulumi.Output[str]
    """Name of the bucket that images are uploaded to."""
    final_bucket_name: pulumi.Output[str]
    """Name of the bucket that images and their labels end in."""
    image_queue_url: pulumi.Output[str]
    """URL of the queue of images that wait."""
    image_dead_letter_queue_url: pulumi.Output[str]
    """URL of the queue of messages that failed ten times, and of events that could not be delivered."""
    predictions_topic_arn: pulumi.Output[str]
    """ARN of the topic with one message for each image: its labels, or why it was rejected."""
    analyze_function_name: pulumi.Output[str]
    """Name of the function that labels images."""
    event_source_mapping_uuid: pulumi.Output[str]
    """UUID of the event source mapping from the queue to the function, which the workflow opens and closes."""
    state_machine_arn: pulumi.Output[str | None]
    """ARN of the workflow that runs the model; none with `upload`."""
    release_state_machine_arn: pulumi.Output[str | None]
    """ARN of the workflow that stops the model; none with `upload`."""
    schedule_arn: pulumi.Output[str | None]
    """ARN of the schedule that the workflow runs on; none with `upload`."""
    runs_table_name: pulumi.Output[str | None]
    """Name of the table with the model's lock and the record of every run; none with `upload`."""
    rescue_dead_letter_queue_url: pulumi.Output[str | None]
    """URL of the queue of failed runs for which the release could not be started; none with `upload`."""
    run_summary_topic_arn: pulumi.Output[str | None]
    """ARN of the topic with one message for each run that has ended; none with `upload`."""

    def __init__(
        self,
        name: str,
        args: BatchInferenceArgs,
        opts: pulumi.ResourceOptions | None = None,
        detector: Detector | None = None,
    ) -> None:
        check_name(name)
        check_names(args, BatchInferenceArgs)
        trigger = args.get("trigger", "schedule")
        if trigger not in TRIGGERS:
            allowed = f"allowed is one of {', '.join(TRIGGERS)}, such as 'schedule'"
            raise InputError(f"trigger is {trigger!r}; {allowed}", "trigger")
        if args.get("model_version", "").startswith("arn:"):
            raise InputError("model_version is an ARN; give the name, which is what follows version/", "model_version")
        self._wanted = RunInputs.chosen(args)
        self._keeping = Keeping.chosen(args)
        super().__init__(
            "custom-labels-batch:index:BatchInference",
            name,
            None,
            with_tags(opts, {**args.get("tags", {}), "Component": "BatchInference"}),
        )
        self._component_name, self._args, self._scheduled = name, args, trigger == "schedule"
        self._detector = detector or CustomLabels()
        self._child = pulumi.ResourceOptions(parent=self)
        self._project_arn = self._project_of_this_place()
        self._function_timeout = function_timeout_seconds(self._wanted.tps_per_inference_unit)
        self._noncurrent_days = whole_number(args, "noncurrent_version_retention_days", limits.RETENTION_DAYS)
        self._source = self._source_bucket()
        self._final = self._bucket("final", args.get("final_bucket_name"), {"superseded/": self._noncurrent_days})
        self._topic, topic_policy = make_topic(f"{name}-predictions", self._child)
        self._table = runs_table(f"{name}-runs", self._child) if self._scheduled else None
        self._queue = WorkQueue(
            f"{name}-images",
            # Lambda's advice for a queue behind a function: six times its timeout.
            visibility_timeout_seconds=6 * self._function_timeout,
            opts=self._child,
        )
        self._function = self._analyze_image()
        self._mapping = self._event_source_mapping()
        uploads = self._queue_uploads()

        self.source_bucket_name = self._source_name
        self.final_bucket_name = self._final.name
        self.image_queue_url = self._queue.url
        self.image_dead_letter_queue_url = self._queue.dead_letter_queue.url
        self.predictions_topic_arn = self._topic.arn
        self.analyze_function_name = self._function.name
        self.event_source_mapping_uuid = self._mapping.uuid
        self.state_machine_arn = self.release_state_machine_arn = none()
        self.schedule_arn = self.runs_table_name = self.rescue_dead_letter_queue_url = none()
        self.run_summary_topic_arn = none()
        if self._table:
            needed = [self._final, topic_policy, *uploads, self._mapping]
            runs = ScheduledRuns(name, self._wanted, self._pipeline(self._table), needed, parent=self)
            self.state_machine_arn = runs.batch.arn.apply(optional)
            self.release_state_machine_arn = runs.release.arn.apply(optional)
            self.schedule_arn = runs.schedule.arn.apply(optional)
            self.runs_table_name = self._table.name.apply(optional)
            self.rescue_dead_letter_queue_url = runs.dead_letters.url.apply(optional)
            self.run_summary_topic_arn = runs.summaries.arn.apply(optional)
        self.register_outputs(
            {
                "sourceBucketName": self.source_bucket_name,
                "finalBucketName": self.final_bucket_name,
                "imageQueueUrl": self.image_queue_url,
                "imageDeadLetterQueueUrl": self.image_dead_letter_queue_url,
                "predictionsTopicArn": self.predictions_topic_arn,
                "analyzeFunctionName": self.analyze_function_name,
                "eventSourceMappingUuid": self.event_source_mapping_uuid,
                "stateMachineArn": self.state_machine_arn,
                "releaseStateMachineArn": self.release_state_machine_arn,
                "scheduleArn": self.schedule_arn,
                "runsTableName": self.runs_table_name,
                "rescueDeadLetterQueueUrl": self.rescue_dead_letter_queue_url,
                "runSummaryTopicArn": self.run_summary_topic_arn,
            }
        )

    def _project_of_this_place(self) -> pulumi.Output[str]:
        """The project's ARN, refused where the model could not be reached from."""
        options = pulumi.InvokeOptions(parent=self)
        account = aws.get_caller_identity_output(opts=options).account_id
        region = aws.get_region_output(opts=options).region
        version = self._wanted.model_version
        return pulumi.Output.all(self._args["project_arn"], region, account).apply(
            lambda found: in_apply(self._detector.checked, *found, version)
        )

    # Images in and out

    def _source_bucket(self) -> PrivateBucket | None:
        """The source bucket, unless one exists already."""
        existing = self._args.get("existing_source_bucket_name")
        if existing is not None:
            self._source_name = pulumi.Output.from_input(existing)
            partition = aws.get_partition_output(opts=pulumi.InvokeOptions(parent=self)).partition
            self._source_arn = pulumi.Output.format("arn:{0}:s3:::{1}", partition, existing)
            return None
        bucket = self._bucket("source", self._args.get("source_bucket_name"))
        self._source_name, self._source_arn = bucket.name, bucket.arn
        return bucket

    def _bucket(
        self, suffix: str, bucket_name: pulumi.Input[str] | None, retention_days: Mapping[str, int] | None = None
    ) -> PrivateBucket:
        return PrivateBucket(
            f"{self._component_name}-{suffix}",
            bucket_name,
            noncurrent_version_retention_days=self._noncurrent_days,
            keeping=self._keeping,
            retention_days=retention_days,
            opts=self._child,
        )

    def _queue_uploads(self) -> list[pulumi.Resource]:
        """What must exist before an upload is announced; for a bucket of ours, the announcing too."""
        name = f"{self._component_name}-uploads"
        targets = queue_uploads(name, self._source_name, self._args.get("image_prefix", ""), self._queue, parent=self)
        if self._source is None:
            return [*targets]
        notification = aws.s3.BucketNotification(
            f"{self._component_name}-source",
            bucket=self._source.name,
            eventbridge=True,
            # Last: no upload may be announced before something listens.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*targets, *self._source.ready]),
        )
        return [*targets, notification]

    # The function

    def _analyze_image(self) -> PythonFunction:
        args, tps = self._args, self._wanted.tps_per_inference_unit
        return PythonFunction(
            f"{self._component_name}-analyze-image",
            package="analyze_image",
            replaced={"model.py": module} if (module := self._detector.function_module) else {},
            environment={
                "TRIGGER": "schedule" if self._scheduled else "upload",
                "PROJECT_ARN": self._project_arn,
                "MODEL_VERSION": self._wanted.model_version,
                "RUNS_TABLE_NAME": self._table.name if self._table else "",
                "SOURCE_BUCKET_NAME": self._source_name,
                "FINAL_BUCKET_NAME": self._final.name,
                "PREDICTIONS_TOPIC_ARN": self._topic.arn,
                "MIN_CONFIDENCE": str(number(args, "min_confidence", limits.MIN_CONFIDENCE)),
                "LABEL_THRESHOLDS": json.dumps(args.get("label_thresholds", {}), sort_keys=True, ensure_ascii=False),
                "DETECT_CALLS_PER_SECOND": str(calls_per_second(tps)),
                "DETECT_THREADS": str(threads(tps)),
            },
            statements=self._analyze_image_statements(),
            timeout_seconds=self._function_timeout,
            memory_megabytes=512,
            log_retention_days=self._wanted.log_retention_days,
            powertools_layer_arn=args.get("powertools_layer_arn"),
            opts=self._child,
        )

    def _analyze_image_statements(self) -> list[iam.Statement]:
        source_objects = self._source_arn.apply(lambda arn: f"{arn}/*")
        final_objects = self._final.arn.apply(
            lambda arn: [f"{arn}/{p}/*" for p in ("images", "superseded", "rejected")]
        )
        statements = [
            iam.allow(
                ["s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject", "s3:DeleteObjectVersion"], source_objects
            ),
            iam.allow(
                ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload"], final_objects
            ),
            # Without it S3 answers 403 for an object, or a version, that is not there.
            iam.allow(["s3:ListBucket", "s3:ListBucketVersions"], [self._source_arn, self._final.arn]),
            self._queue.consumer_statement(),
            *self._detector.may_detect(self._project_arn, finds_it_itself=self._table is None),
            iam.allow(["sns:Publish"], self._topic.arn),
        ]
        if self._table:
            statements.append(iam.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], self._table.arn))
        return statements

    def _pipeline(self, table: aws.dynamodb.Table) -> Pipeline:
        return Pipeline(
            table=table,
            queue=self._queue,
            mapping=self._mapping,
            project_arn=self._project_arn,
            detector=self._detector,
            function_timeout_seconds=self._function_timeout,
        )

    def _event_source_mapping(self) -> aws.lambda_.EventSourceMapping:
        opts = pulumi.ResourceOptions(
            parent=self,
            # AWS checks the function role's rights on the queue when it creates a mapping.
            depends_on=[self._function.policy, self._queue],
            # While the workflow opens and closes the mapping, `pulumi up` must not undo it.
            ignore_changes=["enabled", "scalingConfig"] if self._scheduled else None,
        )
        return aws.lambda_.EventSourceMapping(
            f"{self._component_name}-images",
            event_source_arn=self._queue.arn,
            function_name=self._function.arn,
            batch_size=BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            enabled=not self._scheduled,
            scaling_config={"maximum_concurrency": self._wanted.max_inference_units * EXECUTIONS_PER_INFERENCE_UNIT},
            opts=opts,
        )


def calls_per_second(tps_per_inference_unit: float) -> float:
    """DetectCustomLabels calls a second that one function execution may make: its share of its unit's TPS."""
    return tps_per_inference_unit / EXECUTIONS_PER_INFERENCE_UNIT


def threads(tps_per_inference_unit: float) -> int:
    """Images a function execution handles at once: enough to fill its share while each takes two seconds."""
    return min(BATCH_SIZE, max(2, math.ceil(2 * calls_per_second(tps_per_inference_unit))))


def function_timeout_seconds(tps_per_inference_unit: float) -> int:
    """Four times what a full batch takes at the function's share of TPS, at least a minute."""
    return min(900, max(60, math.ceil(4 * BATCH_SIZE / calls_per_second(tps_per_inference_unit))))


def optional(value: str) -> str | None:
    """An output that other triggers leave out."""
    return value


def none() -> pulumi.Output[str | None]:
    """An output that this trigger leaves out."""
    return pulumi.Output.from_input(None)
