"""Keeps every prediction where SQL and a dashboard can reach it."""

import re
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.bucket import Keeping, PrivateBucket
from custom_labels_batch.components.function import PythonFunction
from custom_labels_batch.components.inputs import InputError, check_names, log_retention_days, whole_number
from custom_labels_batch.components.naming import check_name, with_tags
from custom_labels_batch.components.predictions_queue import PredictionsQueue
from custom_labels_batch.components.predictions_table import PREDICTIONS_PREFIX, VIEW_COLUMNS, PredictionsTable
from custom_labels_batch.components.query_files import saved_queries
from custom_labels_batch.components.quicksight import QuickSightDashboard
from custom_labels_batch.components.quicksight_principal import checked_principal_arn
from custom_labels_batch.rules import limits

BATCH_SIZE = 1000
"""Messages a function call takes, at most: fewer where they would be more than the 6 MB a call may carry, which
Lambda sees to (its developer guide, "Batching behavior")."""

BATCHING_WINDOW_SECONDS = 60
"""How long Lambda gathers a batch: rows are a minute late, and the files few."""

FUNCTION_TIMEOUT_SECONDS = 120

RESULTS_PREFIX = "athena-results/"

_DATABASE_NAME = re.compile(r"[a-z0-9_]{1,128}")


class AnalyticsArgs(TypedDict):
    """Inputs of Analytics."""

    predictions_topic_arn: pulumi.Input[str]
    """ARN of the topic with one message for each image."""
    analytics_bucket_name: NotRequired[pulumi.Input[str]]
    """Physical name of the analytics bucket. Default: made from the component's name."""
    database_name: NotRequired[str]
    """Name of the Glue database and of the Athena workgroup: lower-case letters, digits and underscores. Default:
    made from the component's name, as Pulumi makes names, so that stacks of one account share none."""
    prediction_retention_days: NotRequired[int]
    """Days rows are kept, 1 to 3650. Default: for ever."""
    query_result_retention_days: NotRequired[int]
    """Days the results of queries are kept, 1 to 3650. Default: 30."""
    noncurrent_version_retention_days: NotRequired[int]
    """Days replaced and deleted objects are kept, 1 to 3650. Default: 30."""
    bytes_scanned_cutoff_per_query: NotRequired[int]
    """Bytes after which Athena cancels a query, at least 10 MiB. Default: 10 GB."""
    quick_sight_principal_arn: NotRequired[str]
    """ARN of the QuickSight user or group to make a dashboard for. Default: nothing of QuickSight is made."""
    data_buckets: NotRequired[str]
    """What becomes of the bucket when it is to be deleted or replaced: `retain` leaves it, as private as it is;
    `protect` refuses that, until it is changed, and retains; `delete` deletes it if it is empty. Default: `retain`, or
    `delete` with `force_destroy`."""
    force_destroy: NotRequired[bool]
    """With `data_buckets` `delete`: whether the bucket is deleted with the objects it holds. Default: false."""
    log_retention_days: NotRequired[int]
    """Days logs are kept, one of the periods that CloudWatch Logs has. Default: 30."""
    powertools_layer_arn: NotRequired[pulumi.Input[str]]
    """ARN of a version of the Powertools for AWS Lambda (Python) layer. Default: AWS's public one, which only the
    commercial partition has."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for every resource that takes tags."""


class Analytics(pulumi.ComponentResource):
    """Rows of every prediction in a bucket, and what it takes to query them with Athena."""

    analytics_bucket_name: pulumi.Output[str]
    """Name of the bucket that rows, and the results of queries, are kept in."""
    athena_database: pulumi.Output[str]
    """Name of the Glue database."""
    athena_table: pulumi.Output[str]
    """Name of the view to query, which shows each image once."""
    athena_workgroup: pulumi.Output[str]
    """Name of the workgroup to query it in; the saved queries are there too."""
    queue_url: pulumi.Output[str]
    """URL of the queue of predictions that wait to be recorded."""
    dead_letter_queue_url: pulumi.Output[str]
    """URL of the queue of predictions that could not be recorded."""
    record_function_name: pulumi.Output[str]
    """Name of the function that records predictions."""
    dashboard_id: pulumi.Output[str | None]
    """QuickSight's id of the dashboard; none without a QuickSight principal."""
    dashboard_url: pulumi.Output[str | None]
    """URL at which people open the dashboard; none without a QuickSight principal."""

    def __init__(self, name: str, args: AnalyticsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        check_names(args, AnalyticsArgs)
        database_name = args.get("database_name")
        if database_name is not None:
            _check_database_name(database_name)
        if principal_arn := args.get("quick_sight_principal_arn"):
            checked_principal_arn(principal_arn)
        self._keeping = Keeping.chosen(args)
        self._scan_cutoff = whole_number(args, "bytes_scanned_cutoff_per_query", limits.BYTES_SCANNED_CUTOFF)
        super().__init__(
            "custom-labels-batch:index:Analytics",
            name,
            None,
            with_tags(opts, {**args.get("tags", {}), "Component": "Analytics"}),
        )
        self._component_name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)

        self._bucket = self._analytics_bucket()
        queue = PredictionsQueue(
            f"{name}-predictions",
            args["predictions_topic_arn"],
            function_timeout_seconds=FUNCTION_TIMEOUT_SECONDS,
            batching_window_seconds=BATCHING_WINDOW_SECONDS,
            opts=self._child,
        )
        function = self._record_predictions(queue)
        queue.feed(function, BATCH_SIZE)
        workgroup = self._workgroup(database_name)
        # Glue has no automatic names without hyphens; the workgroup's has its random end.
        of_workgroup = workgroup.name.apply(lambda automatic: automatic.replace("-", "_"))
        catalog = PredictionsTable(name, database_name or of_workgroup, self._bucket.name, opts=self._child)
        self._save_queries(catalog, workgroup)

        self.analytics_bucket_name = self._bucket.name
        self.athena_database = catalog.database.name
        self.athena_table = catalog.view.name
        self.athena_workgroup = workgroup.name
        self.queue_url, self.dead_letter_queue_url = queue.url, queue.dead_letter_queue_url
        self.record_function_name = function.name
        self.dashboard_id, self.dashboard_url = self._dashboard(catalog, workgroup)
        self.register_outputs(
            {
                "analyticsBucketName": self.analytics_bucket_name,
                "athenaDatabase": self.athena_database,
                "athenaTable": self.athena_table,
                "athenaWorkgroup": self.athena_workgroup,
                "queueUrl": self.queue_url,
                "deadLetterQueueUrl": self.dead_letter_queue_url,
                "recordFunctionName": self.record_function_name,
                "dashboardId": self.dashboard_id,
                "dashboardUrl": self.dashboard_url,
            }
        )

    def _analytics_bucket(self) -> PrivateBucket:
        retention = {RESULTS_PREFIX: whole_number(self._args, "query_result_retention_days", limits.RETENTION_DAYS)}
        if "prediction_retention_days" in self._args:
            retention[PREDICTIONS_PREFIX] = whole_number(self._args, "prediction_retention_days", limits.RETENTION_DAYS)
        return PrivateBucket(
            f"{self._component_name}-rows",
            self._args.get("analytics_bucket_name"),
            noncurrent_version_retention_days=whole_number(
                self._args, "noncurrent_version_retention_days", limits.RETENTION_DAYS
            ),
            keeping=self._keeping,
            retention_days=retention,
            opts=self._child,
        )

    def _record_predictions(self, queue: PredictionsQueue) -> PythonFunction:
        rows = self._bucket.arn.apply(lambda arn: f"{arn}/{PREDICTIONS_PREFIX}*")
        return PythonFunction(
            f"{self._component_name}-record-predictions",
            package="record_predictions",
            environment={"ANALYTICS_BUCKET_NAME": self._bucket.name},
            statements=[iam.allow(["s3:PutObject"], rows), queue.consumer_statement()],
            timeout_seconds=FUNCTION_TIMEOUT_SECONDS,
            memory_megabytes=512,
            log_retention_days=log_retention_days(self._args),
            powertools_layer_arn=self._args.get("powertools_layer_arn"),
            opts=self._child,
        )

    def _workgroup(self, workgroup_name: str | None) -> aws.athena.Workgroup:
        """Where queries run: clients cannot choose other places or limits for their results."""
        return aws.athena.Workgroup(
            self._component_name,
            name=workgroup_name,
            description="Queries of what the model found in each image",
            configuration={
                "enforce_workgroup_configuration": True,
                "publish_cloudwatch_metrics_enabled": True,
                "bytes_scanned_cutoff_per_query": self._scan_cutoff,
                "engine_version": {"selected_engine_version": "Athena engine version 3"},
                "result_configuration": {
                    "output_location": self._bucket.name.apply(lambda bucket: f"s3://{bucket}/{RESULTS_PREFIX}"),
                    "encryption_configuration": {"encryption_option": "SSE_S3"},
                },
            },
            # A workgroup that has been used could not be destroyed otherwise.
            force_destroy=True,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _save_queries(self, catalog: PredictionsTable, workgroup: aws.athena.Workgroup) -> None:
        for query in saved_queries():
            aws.athena.NamedQuery(
                f"{self._component_name}-{query.name.replace('_', '-')}",
                name=query.title,
                description=query.description,
                database=catalog.database.name,
                workgroup=workgroup.id,
                query=query.text,
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True, depends_on=[catalog.view]),
            )

    def _dashboard(
        self, catalog: PredictionsTable, workgroup: aws.athena.Workgroup
    ) -> tuple[pulumi.Output[str | None], pulumi.Output[str | None]]:
        """The dashboard's id and address; two Nones where nobody is there to see it."""
        principal_arn = self._args.get("quick_sight_principal_arn")
        if not principal_arn:
            return pulumi.Output.from_input(None), pulumi.Output.from_input(None)
        dashboard = QuickSightDashboard(
            f"{self._component_name}-quicksight",
            {
                "principal_arn": principal_arn,
                "analytics_bucket_name": self._bucket.name,
                "database_name": catalog.database.name,
                "view_name": catalog.view.name,
                "view_columns": {column.name: column.type for column in VIEW_COLUMNS},
                "workgroup_name": workgroup.name,
                "tags": self._args.get("tags", {}),
            },
            # QuickSight reads the rows as soon as there is a data set.
            pulumi.ResourceOptions(parent=self, depends_on=[catalog.table, *self._bucket.ready]),
        )
        return dashboard.dashboard_id.apply(_optional), dashboard.dashboard_url.apply(_optional)


def _optional(value: str) -> str | None:
    return value


def _check_database_name(name: str) -> None:
    if not _DATABASE_NAME.fullmatch(name):
        raise InputError(
            f"database_name is {name!r}; allowed are at most 128 lower-case letters, digits and underscores, such as "
            "'surfaces_analytics'",
            "database_name",
        )
