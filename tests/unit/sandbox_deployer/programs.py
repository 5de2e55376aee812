"""Pulumi programs to run: one of every resource type the sandbox can make, wired as AWS wants it."""

import json
import secrets
from typing import Any

import pulumi
import pulumi_aws as aws

LAYER = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"

_WORKFLOW = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)


def every_type(catalog_name: str | None = None, tags: dict[str, str] | None = None) -> None:
    """Register every type once, with the dependencies AWS asks for; names that Athena takes are random, or given."""
    tags = tags or {"stack": pulumi.get_stack()}
    provider = aws.Provider("tagging", region="us-east-1", default_tags={"tags": tags})
    pulumi.runtime.register_stack_transformation(
        lambda args: (
            pulumi.ResourceTransformationResult(
                args.props, pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(provider=provider))
            )
            if args.type_.startswith("aws:")
            else None
        )
    )
    bucket = _bucket()
    queue, dead_letters = _queues()
    table = aws.dynamodb.Table(
        "runs",
        billing_mode="PAY_PER_REQUEST",
        hash_key="kind",
        range_key="id",
        attributes=[{"name": "kind", "type": "S"}, {"name": "id", "type": "S"}],
        ttl={"attribute_name": "expiresAt", "enabled": True},
        point_in_time_recovery={"enabled": True},
        server_side_encryption={"enabled": True},
    )
    _rule(bucket, queue, dead_letters)
    function, mapping = function_and_mapping(queue)
    aws.lambda_.Invocation("analyze", function_name=function.name, input="{}", lifecycle_scope="CRUD")
    topic = _topic(function)
    operations(queue)
    machine = state_machine()
    schedule = _schedule(machine, dead_letters)
    # Names that Athena takes are explicit: as random as an auto-name, since the program is deployed again and again.
    catalog(bucket, catalog_name or f"t{secrets.token_hex(13)}")
    pulumi.export("sourceBucketName", bucket.bucket)
    pulumi.export("imageQueueUrl", queue.url)
    pulumi.export("predictionsTopicArn", topic.arn)
    pulumi.export("runsTableName", table.name)
    pulumi.export("stateMachineArn", machine.arn)
    pulumi.export("scheduleArn", schedule.arn)
    pulumi.export("analyzeFunctionName", function.name)
    pulumi.export("eventSourceMappingUuid", mapping.uuid)


def _bucket() -> aws.s3.Bucket:
    bucket = aws.s3.Bucket("source", force_destroy=True)
    aws.s3.BucketVersioning("source", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"})
    aws.s3.BucketServerSideEncryptionConfiguration(
        "source",
        bucket=bucket.bucket,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
    )
    aws.s3.BucketLifecycleConfiguration(
        "source",
        bucket=bucket.bucket,
        rules=[
            {
                "id": "old-versions",
                "status": "Enabled",
                "noncurrent_version_expiration": {"noncurrent_days": 7},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
            }
        ],
    )
    block = aws.s3.BucketPublicAccessBlock(
        "source",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    aws.s3.BucketOwnershipControls("source", bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"})
    aws.s3.BucketPolicy(
        "source",
        bucket=bucket.bucket,
        policy=document(
            "Deny", "s3:*", bucket.arn, Principal="*", Condition=_if("Bool", "aws:SecureTransport", "false")
        ),
        opts=pulumi.ResourceOptions(depends_on=[block]),
    )
    aws.s3.BucketNotification("source", bucket=bucket.bucket, eventbridge=True)
    return bucket


def _queues() -> tuple[aws.sqs.Queue, aws.sqs.Queue]:
    dead_letters = aws.sqs.Queue("dead-letters", message_retention_seconds=1_209_600)
    queue = aws.sqs.Queue(
        "images",
        visibility_timeout_seconds=360,
        sqs_managed_sse_enabled=True,
        redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": 10}),
    )
    aws.sqs.RedriveAllowPolicy(
        "dead-letters",
        queue_url=dead_letters.url,
        redrive_allow_policy=pulumi.Output.json_dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}),
    )
    return queue, dead_letters


def _topic(function: aws.lambda_.Function) -> aws.sns.Topic:
    topic = aws.sns.Topic("predictions", display_name="Predictions", kms_master_key_id="alias/aws/sns")
    aws.sns.TopicPolicy(
        "predictions",
        arn=topic.arn,
        policy=document("Allow", "sns:Publish", topic.arn, Principal={"AWS": "000000000000"}),
    )
    subscribed_queue(topic)
    permission = aws.lambda_.Permission(
        "predictions",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="sns.amazonaws.com",
        source_arn=topic.arn,
    )
    aws.sns.TopicSubscription(
        "function",
        topic=topic.arn,
        protocol="lambda",
        endpoint=function.arn,
        opts=pulumi.ResourceOptions(depends_on=[permission]),
    )
    aws.sns.TopicSubscription("people", topic=topic.arn, protocol="email", endpoint="people@labels.example")
    return topic


def subscribed_queue(topic: aws.sns.Topic, waits_for: tuple[str, ...] = ("queue", "lost")) -> aws.sns.TopicSubscription:
    """Register a queue and a dead-letter queue with their policies, and a subscription that waits for some of these."""
    queues = {name: aws.sqs.Queue(name) for name in ("queue", "lost")}
    policies = {
        name: aws.sqs.QueuePolicy(
            name,
            queue_url=queue.url,
            policy=document(
                "Allow",
                "sqs:SendMessage",
                queue.arn,
                Principal={"Service": "sns.amazonaws.com"},
                Condition=_if("ArnEquals", "aws:SourceArn", topic.arn),
            ),
        )
        for name, queue in queues.items()
    }
    return aws.sns.TopicSubscription(
        "queue",
        topic=topic.arn,
        protocol="sqs",
        endpoint=queues["queue"].arn,
        raw_message_delivery=True,
        filter_policy=json.dumps({"status": ["labelled"]}),
        filter_policy_scope="MessageAttributes",
        redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": queues["lost"].arn}),
        opts=pulumi.ResourceOptions(depends_on=[policies[name] for name in waits_for]),
    )


def operations(queue: aws.sqs.Queue, **alarm: Any) -> aws.cloudwatch.MetricAlarm:
    """An alarm on a queue, the topic it is told on, and a dashboard that shows it."""
    topic = aws.sns.Topic("operations", kms_master_key_id=alarm.pop("kms_master_key_id", None))
    policy = aws.sns.TopicPolicy(
        "operations",
        arn=topic.arn,
        policy=document("Allow", "sns:Publish", topic.arn, Principal={"Service": "cloudwatch.amazonaws.com"}),
    )
    made = aws.cloudwatch.MetricAlarm(
        "backlog",
        opts=pulumi.ResourceOptions(depends_on=[policy] if alarm.pop("waits_for_policy", True) else []),
        **{
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": 1,
            "evaluation_periods": 1,
            "treat_missing_data": "notBreaching",
            "alarm_actions": [topic.arn],
            "namespace": "AWS/SQS",
            "metric_name": "ApproximateNumberOfMessagesVisible",
            "dimensions": {"QueueName": queue.name},
            "statistic": "Maximum",
            "period": 300,
            **alarm,
        },
    )
    widget = {"x": 0, "y": 0, "width": 24, "height": 3, "type": "alarm", "properties": {"alarms": [made.arn]}}
    body = pulumi.Output.json_dumps({"widgets": [widget]})
    aws.cloudwatch.Dashboard("operations", dashboard_name="operations", dashboard_body=body)
    return made


def _rule(bucket: aws.s3.Bucket, queue: aws.sqs.Queue, dead_letters: aws.sqs.Queue) -> None:
    rule = aws.cloudwatch.EventRule(
        "uploads",
        event_pattern=pulumi.Output.json_dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket.bucket]}}}),
    )
    policies = [
        aws.sqs.QueuePolicy(
            name,
            queue_url=target.url,
            policy=document(
                "Allow",
                "sqs:SendMessage",
                target.arn,
                Principal={"Service": "events.amazonaws.com"},
                Condition=_if("ArnEquals", "aws:SourceArn", rule.arn),
            ),
        )
        for name, target in {"images": queue, "dead-letters": dead_letters}.items()
    ]
    aws.cloudwatch.EventTarget(
        "uploads",
        rule=rule.name,
        arn=queue.arn,
        dead_letter_config={"arn": dead_letters.arn},
        retry_policy={"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 10},
        opts=pulumi.ResourceOptions(depends_on=policies),
    )


def function_and_mapping(
    queue: aws.sqs.Queue, mapping_waits_for_policy: bool = True
) -> tuple[aws.lambda_.Function, aws.lambda_.EventSourceMapping]:
    """Register a function with everything it needs, and its mapping, if wanted without its dependency."""
    role = service_role("analyze", "lambda.amazonaws.com")
    group = aws.cloudwatch.LogGroup("analyze", retention_in_days=30)
    logging = aws.iam.RolePolicy(
        "logging",
        role=role.name,
        policy=document("Allow", ["logs:CreateLogStream", "logs:PutLogEvents"], pulumi.Output.concat(group.arn, ":*")),
    )
    reading = aws.iam.RolePolicy(
        "reading",
        role=role.name,
        policy=document(
            "Allow",
            [f"sqs:{a}" for a in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")],
            queue.arn,
        ),
    )
    function = aws.lambda_.Function(
        "analyze",
        role=role.arn,
        runtime="python3.13",
        handler="app.handler.handler",
        architectures=["arm64"],
        memory_size=512,
        timeout=60,
        layers=[LAYER],
        code=pulumi.AssetArchive(
            {"app/handler.py": pulumi.StringAsset("def handler(event, context):\n    return None\n")}
        ),
        environment={"variables": {"DETECT_CALLS_PER_SECOND": "2.5", "MIN_CONFIDENCE": "70"}},
        logging_config={"log_format": "JSON", "log_group": group.name},
        opts=pulumi.ResourceOptions(depends_on=[logging]),
    )
    mapping = aws.lambda_.EventSourceMapping(
        "analyze",
        event_source_arn=queue.arn,
        function_name=function.name,
        batch_size=1000,
        maximum_batching_window_in_seconds=60,
        enabled=False,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config={"maximum_concurrency": 2},
        opts=pulumi.ResourceOptions(depends_on=[reading] if mapping_waits_for_policy else []),
    )
    return function, mapping


def state_machine(log_actions: tuple[str, ...] = _LOG_DELIVERY) -> aws.sfn.StateMachine:
    """Register a state machine that logs, with a role that may do the given log actions."""
    role = service_role("workflow", "states.amazonaws.com")
    group = aws.cloudwatch.LogGroup("workflow", name_prefix="/aws/vendedlogs/states/workflow-", retention_in_days=30)
    policy = aws.iam.RolePolicy("workflow", role=role.name, policy=document("Allow", list(log_actions), "*"))
    return aws.sfn.StateMachine(
        "workflow",
        role_arn=role.arn,
        type="STANDARD",
        definition=_WORKFLOW,
        logging_configuration={
            "level": "ALL",
            "include_execution_data": True,
            "log_destination": pulumi.Output.concat(group.arn, ":*"),
        },
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )


def _schedule(machine: aws.sfn.StateMachine, dead_letters: aws.sqs.Queue) -> aws.scheduler.Schedule:
    group = aws.scheduler.ScheduleGroup("runs")
    role = service_role("schedule", "scheduler.amazonaws.com", source_arn=group.arn)
    start = aws.iam.Policy("start", policy=document("Allow", "states:StartExecution", machine.arn))
    started = aws.iam.RolePolicyAttachment("start", role=role.name, policy_arn=start.arn)
    lost = aws.iam.RolePolicy("lost", role=role.name, policy=document("Allow", "sqs:SendMessage", dead_letters.arn))
    return aws.scheduler.Schedule(
        "hourly",
        group_name=group.name,
        schedule_expression="rate(1 hour)",
        schedule_expression_timezone="UTC",
        start_date="2030-01-01T00:00:00Z",
        flexible_time_window={"mode": "OFF"},
        target={
            "arn": machine.arn,
            "role_arn": role.arn,
            "input": "{}",
            "retry_policy": {"maximum_retry_attempts": 0, "maximum_event_age_in_seconds": 60},
            "dead_letter_config": {"arn": dead_letters.arn},
        },
        opts=pulumi.ResourceOptions(depends_on=[started, lost]),
    )


def catalog(bucket: aws.s3.Bucket, name: str) -> aws.glue.CatalogTable:
    """A Glue database, a partitioned table in it, and a workgroup with a saved query; the table."""
    database = aws.glue.CatalogDatabase(
        "catalog-database", name=name, description="Rows", parameters={"owner": "tests"}
    )
    location = bucket.bucket.apply(lambda bucket: f"s3://{bucket}/rows/")
    table = aws.glue.CatalogTable(
        "catalog-rows",
        name="rows",
        database_name=database.name,
        description="Every row",
        owner="tests",
        table_type="EXTERNAL_TABLE",
        retention=0,
        parameters={"classification": "json", "projection.enabled": "false"},
        partition_keys=[{"name": "dt", "type": "string", "comment": "The day"}],
        partition_indices=[{"index_name": "by_day", "keys": ["dt"]}],
        storage_descriptor={
            "location": location,
            "columns": [
                {"name": "label", "type": "string", "comment": "What it shows", "parameters": {"a": "b"}},
                {"name": "confidence", "type": "double"},
            ],
            "input_format": "org.apache.hadoop.mapred.TextInputFormat",
            "output_format": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "compressed": True,
            "number_of_buckets": -1,
            "bucket_columns": ["label"],
            "sort_columns": [{"column": "label", "sort_order": 1}],
            "parameters": {"c": "d"},
            "stored_as_sub_directories": False,
            "skewed_info": {
                "skewed_column_names": ["label"],
                "skewed_column_values": ["x"],
                "skewed_column_value_location_maps": {"x": "y"},
            },
            "ser_de_info": {
                "name": "json",
                "serialization_library": "org.openx.data.jsonserde.JsonSerDe",
                "parameters": {"ignore.malformed.json": "true"},
            },
        },
    )
    workgroup = aws.athena.Workgroup(
        "catalog-workgroup",
        name=name,
        description="Questions about rows",
        state="ENABLED",
        force_destroy=True,
        configuration={
            "bytes_scanned_cutoff_per_query": 10_485_760,
            "enforce_workgroup_configuration": True,
            "publish_cloudwatch_metrics_enabled": True,
            "requester_pays_enabled": False,
            "engine_version": {"selected_engine_version": "Athena engine version 3"},
            "result_configuration": {
                "output_location": bucket.bucket.apply(lambda bucket: f"s3://{bucket}/results/"),
                "encryption_configuration": {"encryption_option": "SSE_S3"},
                "expected_bucket_owner": "000000000000",
                "acl_configuration": {"s3_acl_option": "BUCKET_OWNER_FULL_CONTROL"},
            },
        },
    )
    aws.athena.NamedQuery(
        "catalog-count",
        name="How many",
        description="Counts rows",
        database=database.name,
        workgroup=workgroup.id,
        query="SELECT count(*) FROM rows",
    )
    pulumi.export("tableArn", table.arn)
    return table


def service_role(name: str, service: str, source_arn: pulumi.Input[str] | None = None) -> aws.iam.Role:
    """Register a role one AWS service may assume."""
    condition = {"Condition": _if("StringEquals", "aws:SourceArn", source_arn)} if source_arn else {}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}, **condition}
    return aws.iam.Role(
        name,
        assume_role_policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )


def document(effect: str, action: Any, resource: Any, **more: Any) -> pulumi.Output[str]:
    """Write a policy document of one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]})


def _if(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {operator: {key: value}}
