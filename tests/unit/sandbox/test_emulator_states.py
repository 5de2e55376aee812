"""Step Functions under AWS's rules, seen from outside through its API."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.sandbox.support import PROJECT_ARN, Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")

END = {"Type": "Succeed"}


def task(resource: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True, **more}


def in_parallel(*branches: dict[str, Any], **more: Any) -> dict[str, Any]:
    runs = [{"StartAt": next(iter(states)), "States": states} for states in branches]
    return {"Type": "Parallel", "Branches": runs, **more}


def caught(next_state: str = "Caught") -> list[dict[str, Any]]:
    return [{"ErrorEquals": ["States.ALL"], "Next": next_state}]


class TestServiceIntegrations:
    def test_names_are_pascal_case_of_plain_words(self, sandbox: Sandbox) -> None:
        role = sandbox.role("states.amazonaws.com", ("lambda:GetEventSourceMapping", "*"))
        missing = "00000000-0000-0000-0000-000000000000"

        ended = sandbox.run({"Look": task("aws-sdk:lambda:getEventSourceMapping", {"Uuid": missing})}, role)

        assert ended["error"] == "Lambda.ResourceNotFoundException"

    def test_an_unknown_parameter_ends_the_execution_and_is_named(self, sandbox: Sandbox) -> None:
        look = task("aws-sdk:lambda:getEventSourceMapping", {"UUID": "x"}, Catch=caught())

        ended = sandbox.run({"Look": look, "Caught": END})

        assert ended["error"] == "States.Runtime"
        assert "'UUID' is not supported" in ended["cause"]

    def test_a_value_of_the_wrong_type_ends_the_execution(self, sandbox: Sandbox) -> None:
        look = task("aws-sdk:rekognition:describeProjectVersions", {"ProjectArn": PROJECT_ARN, "VersionNames": "one"})

        ended = sandbox.run({"Look": look})

        assert ended["error"] == "States.Runtime"
        assert "VersionNames" in ended["cause"]

    def test_results_have_pascal_case_names_and_iso_times(self, sandbox: Sandbox) -> None:
        role = sandbox.role("states.amazonaws.com", ("states:DescribeExecution", "*"))
        arguments = {"ExecutionArn": "{% $states.context.Execution.Id %}"}

        ended = sandbox.run({"Look": task("aws-sdk:sfn:describeExecution", arguments)}, role)

        output = json.loads(ended["output"])
        assert output["Status"] == "RUNNING"
        assert output["StartDate"].endswith("Z")

    def test_errors_without_the_suffix_get_it(self, sandbox: Sandbox) -> None:
        role = sandbox.role("states.amazonaws.com", (["states:DescribeExecution", "sqs:GetQueueAttributes"], "*"))
        execution = "arn:aws:states:us-east-1:000000000000:execution:none:none"
        url = f"{sandbox.endpoint}/000000000000/no-such-queue"

        no_execution = sandbox.run({"Look": task("aws-sdk:sfn:describeExecution", {"ExecutionArn": execution})}, role)
        no_queue = sandbox.run({"Look": task("aws-sdk:sqs:getQueueAttributes", {"QueueUrl": url})}, role)

        assert no_execution["error"] == "Sfn.ExecutionDoesNotExistException"
        assert no_queue["error"] == "Sqs.QueueDoesNotExistException"

    def test_the_two_dynamodb_integrations_name_errors_differently(self, sandbox: Sandbox) -> None:
        sandbox.client("dynamodb").create_table(
            TableName="names",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        role = sandbox.role("states.amazonaws.com", ("dynamodb:*", "*"))
        arguments = {"TableName": "names", "Item": {"id": {"S": "x"}}, "ConditionExpression": "attribute_exists(id)"}

        optimized = sandbox.run({"Put": task("dynamodb:putItem", arguments)}, role)
        sdk = sandbox.run({"Put": task("aws-sdk:dynamodb:putItem", arguments)}, role)

        assert optimized["error"] == "DynamoDB.ConditionalCheckFailedException"
        assert sdk["error"] == "DynamoDb.ConditionalCheckFailedException"

    def test_calls_are_signed_with_the_machines_own_role(self, sandbox: Sandbox) -> None:
        role = sandbox.role("states.amazonaws.com", ("rekognition:DescribeProjectVersions", PROJECT_ARN + "0"))
        look = task("aws-sdk:rekognition:describeProjectVersions", {"ProjectArn": PROJECT_ARN})

        ended = sandbox.run({"Look": look}, role)

        assert ended["error"] == "Rekognition.AccessDeniedException"
        assert "rekognition:DescribeProjectVersions" in ended["cause"]

    def test_a_call_without_an_answer_gives_an_empty_object(self, sandbox: Sandbox) -> None:
        role = sandbox.role("states.amazonaws.com", ("cloudwatch:PutMetricData", "*"))

        ended = sandbox.run({"Count": task("aws-sdk:cloudwatch:putMetricData", datum("Own"))}, role)

        assert json.loads(ended["output"]) == {}

    def test_an_events_detail_may_be_an_object(self, sandbox: Sandbox) -> None:
        role = sandbox.role("states.amazonaws.com", ("events:PutEvents", "*"))

        ended = sandbox.run({"Tell": task("events:putEvents", event("own", Detail={"images": 3}))}, role)

        assert json.loads(ended["output"])["FailedEntryCount"] == 0

    def test_an_event_that_is_not_taken_fails_the_task(self, sandbox: Sandbox) -> None:
        role = sandbox.role("states.amazonaws.com", ("events:PutEvents", "*"))

        ended = sandbox.run({"Tell": task("events:putEvents", event("aws.own"))}, role)

        assert ended["error"] == "EventBridge.FailedEntry"

    @pytest.mark.parametrize(("namespace", "status"), [("Own", "SUCCEEDED"), ("Others", "FAILED")])
    def test_metrics_may_be_held_to_a_namespace(self, sandbox: Sandbox, namespace: str, status: str) -> None:
        role = held_to(sandbox, "cloudwatch:PutMetricData", {"StringEquals": {"cloudwatch:namespace": "Own"}})

        ended = sandbox.run({"Count": task("aws-sdk:cloudwatch:putMetricData", datum(namespace))}, role)

        assert ended["status"] == status

    @pytest.mark.parametrize(("source", "status"), [("own", "SUCCEEDED"), ("others", "FAILED")])
    def test_events_may_be_held_to_a_source(self, sandbox: Sandbox, source: str, status: str) -> None:
        role = held_to(sandbox, "events:PutEvents", OWN_SOURCE)

        assert sandbox.run({"Tell": task("events:putEvents", event(source))}, role)["status"] == status

    def test_one_event_of_another_source_is_enough_to_refuse_a_call(self, sandbox: Sandbox) -> None:
        role = held_to(sandbox, "events:PutEvents", OWN_SOURCE)
        both = {"Entries": [*event("own")["Entries"], *event("others")["Entries"]]}

        assert sandbox.run({"Tell": task("events:putEvents", both)}, role)["error"] == (
            "EventBridge.AccessDeniedException"
        )

    def test_a_source_is_one_of_many_and_needs_an_operator_of_sets(self, sandbox: Sandbox) -> None:
        role = held_to(sandbox, "events:PutEvents", {"StringEquals": {"events:source": "own"}})

        assert sandbox.run({"Tell": task("events:putEvents", event("own"))}, role)["status"] == "FAILED"


OWN_SOURCE = {"ForAllValues:StringEquals": {"events:source": "own"}, "Null": {"events:source": "false"}}


def datum(namespace: str) -> dict[str, Any]:
    return {"Namespace": namespace, "MetricData": [{"MetricName": "Images", "Value": 3}]}


def event(source: str, **more: Any) -> dict[str, Any]:
    return {"Entries": [{"Source": source, "DetailType": "Run Ended", "Detail": "{}", **more}]}


def held_to(sandbox: Sandbox, action: str, condition: dict[str, Any]) -> str:
    """A role for workflows that may do something under a condition; its ARN."""
    arn = sandbox.role("states.amazonaws.com")
    statement = {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sandbox.client("iam").put_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="held", PolicyDocument=policy)
    return arn


class TestVariables:
    def test_a_variable_of_a_branch_does_not_exist_outside(self, sandbox: Sandbox) -> None:
        inner = {"Set": {"Type": "Pass", "Assign": {"inside": 1}, "End": True}}
        read = {"Type": "Pass", "Output": "{% $exists($inside) %}", "End": True}

        ended = sandbox.run({"Both": in_parallel(inner, Next="Read"), "Read": read})

        assert ended["output"] == "false"

    def test_a_branch_may_read_but_not_assign_an_outer_variable(self, sandbox: Sandbox) -> None:
        outer = {"Type": "Pass", "Assign": {"shared": 1}, "Next": "Both"}
        inner = {"Set": {"Type": "Pass", "Assign": {"shared": "{% $shared + 1 %}"}, "End": True}}

        ended = sandbox.run({"Outer": outer, "Both": in_parallel(inner, End=True)})

        assert ended["error"] == "States.Runtime"
        assert "'shared'" in ended["cause"]

    def test_assign_sees_the_variables_as_they_were(self, sandbox: Sandbox) -> None:
        first = {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Swap"}
        swap = {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Next": "Read"}
        read = {"Type": "Succeed", "Output": "{% [$a, $b] %}"}

        ended = sandbox.run({"First": first, "Swap": swap, "Read": read})

        assert json.loads(ended["output"]) == [2, 1]


class TestErrors:
    def test_nothing_catches_too_much_data(self, sandbox: Sandbox) -> None:
        big = {"Type": "Pass", "Output": "{% $pad('', 300000, 'x') %}", "End": True}

        ended = sandbox.run({"Both": in_parallel({"Big": big}, Catch=caught(), End=True), "Caught": END})

        assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")

    def test_a_branch_error_reaches_the_catch_of_the_parallel(self, sandbox: Sandbox) -> None:
        fail = {"Fail": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}
        catch = [{"ErrorEquals": ["States.TaskFailed"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}]

        ended = sandbox.run({"Both": in_parallel(fail, Catch=catch, End=True), "Caught": END})

        assert json.loads(ended["output"]) == {"Error": "Broken", "Cause": "on purpose"}

    def test_retry_waits_no_longer_than_max_delay(self, sandbox: Sandbox) -> None:
        retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1000, "MaxDelaySeconds": 1, "MaxAttempts": 2}
        look = task("aws-sdk:sfn:describeExecution", {"ExecutionArn": "arn:none"}, Retry=[retry])

        execution = sandbox.start(sandbox.machine({"Look": look}))

        assert sandbox.ended(execution)["status"] == "FAILED"
        events = sandbox.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        assert [event["type"] for event in events].count("TaskFailed") == 3

    def test_an_execution_ends_at_25_000_events(self, sandbox: Sandbox) -> None:
        again = {"Type": "Pass", "Next": "Again"}
        inner = {"Again": {**again, "Next": "More"}, "More": {"Type": "Pass", "Next": "Again"}}

        ended = sandbox.run({"Both": in_parallel(inner, Catch=caught(), End=True), "Caught": END})

        assert ended["status"] == "FAILED"
        assert "25000" in ended["cause"]


class TestEnds:
    def test_an_aborted_execution_runs_no_catch_and_stays_aborted(self, sandbox: Sandbox) -> None:
        wait = {"Wait": {"Type": "Wait", "Seconds": 50, "End": True}}
        machine = sandbox.machine({"Both": in_parallel(wait, Catch=caught(), Next="Caught"), "Caught": END})
        states, execution = sandbox.client("stepfunctions"), sandbox.start(machine)
        wait_until(lambda: "WaitStateEntered" in _event_types(sandbox, execution))

        states.stop_execution(executionArn=execution, error="Test", cause="stopped")
        sandbox.run({"Wait": {"Type": "Wait", "Seconds": 60, "End": True}})

        assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
        assert _event_types(sandbox, execution)[-1] == "ExecutionAborted"

    def test_the_machines_timeout_is_simulated_and_uncatchable(self, sandbox: Sandbox) -> None:
        wait = {"Wait": {"Type": "Wait", "Seconds": 100000, "End": True}}
        states = {"Both": in_parallel(wait, Catch=caught(), End=True), "Caught": END}

        ended = sandbox.run(states, TimeoutSeconds=20)

        assert ended["status"] == "TIMED_OUT"

    def test_the_status_event_of_a_timeout_is_sent(self, sandbox: Sandbox) -> None:
        url, arn = sandbox.queue()
        machine = sandbox.machine({"Wait": {"Type": "Wait", "Seconds": 100000, "End": True}}, TimeoutSeconds=10)
        pattern = {"source": ["aws.states"], "detail": {"status": ["TIMED_OUT"], "stateMachineArn": [machine]}}
        events = sandbox.client("events")
        rule = events.put_rule(Name="timeouts", EventPattern=json.dumps(pattern))["RuleArn"]
        _allow_sending(sandbox, url, arn, rule)
        events.put_targets(Rule="timeouts", Targets=[{"Id": "queue", "Arn": arn}])

        execution = sandbox.start(machine)

        sqs = sandbox.client("sqs")
        found = wait_until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
        assert json.loads(found[0]["Body"])["detail"]["executionArn"] == execution

    def test_deleting_a_machine_ends_its_executions(self, sandbox: Sandbox) -> None:
        sandbox.client("dynamodb").create_table(
            TableName="traces",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        put = task("dynamodb:putItem", {"TableName": "traces", "Item": {"id": {"S": "ran on"}}})
        role = sandbox.role("states.amazonaws.com", ("dynamodb:PutItem", "*"))
        machine = sandbox.machine({"Wait": {"Type": "Wait", "Seconds": 20, "Next": "Put"}, "Put": put}, role)
        sandbox.start(machine)

        sandbox.client("stepfunctions").delete_state_machine(stateMachineArn=machine)
        sandbox.run({"Wait": {"Type": "Wait", "Seconds": 40, "End": True}})

        assert sandbox.client("dynamodb").scan(TableName="traces")["Count"] == 0

    def test_starting_the_same_name_again_answers_with_the_running_execution(self, sandbox: Sandbox) -> None:
        machine = sandbox.machine({"Wait": {"Type": "Wait", "Seconds": 30, "End": True}})
        states = sandbox.client("stepfunctions")

        first = states.start_execution(stateMachineArn=machine, name="once")["executionArn"]
        again = states.start_execution(stateMachineArn=machine, name="once")["executionArn"]

        assert again == first


class TestTime:
    def test_millis_measures_simulated_time(self, sandbox: Sandbox) -> None:
        states = {
            "Begin": {"Type": "Pass", "Assign": {"begun": "{% $millis() %}"}, "Next": "Wait"},
            "Wait": {"Type": "Wait", "Seconds": 60, "Next": "End"},
            "End": {"Type": "Succeed", "Output": "{% ($millis() - $begun) / 1000 %}"},
        }

        ended = sandbox.run(states)

        assert 60 <= float(ended["output"]) < 75

    def test_now_and_the_context_agree_with_millis(self, sandbox: Sandbox) -> None:
        seconds = "($millis() - $toMillis($states.context.Execution.StartTime)) / 1000"
        both = f"{{% [{seconds}, ($millis() - $toMillis($now())) / 1000] %}}"

        since_start, since_now = json.loads(sandbox.run({"End": {"Type": "Succeed", "Output": both}})["output"])

        assert 0 <= since_start < 60
        assert abs(since_now) < 10


class TestCreation:
    @pytest.mark.parametrize(
        ("states", "named"),
        [
            ({"Start": {"Type": "Pass", "Next": "Nowhere"}}, "Nowhere"),
            ({"Start": {"Type": "Pass", "Ouput": 1, "End": True}}, "Ouput"),
            ({"Start": {"Type": "Wait", "Seconds": 1, "Catch": [], "End": True}}, "Catch"),
            ({"Start": END, "Lost": END}, "Lost"),
        ],
    )
    def test_a_wrong_definition_is_refused_and_the_place_named(
        self, sandbox: Sandbox, states: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(ClientError, match=named) as raised:
            sandbox.machine(states)

        assert raised.value.response["Error"]["Code"] == "InvalidDefinition"

    def test_the_role_must_trust_step_functions(self, sandbox: Sandbox) -> None:
        with pytest.raises(ClientError, match="AccessDenied"):
            sandbox.machine({"End": END}, sandbox.role("lambda.amazonaws.com"))

    def test_logging_needs_the_delivery_rights(self, sandbox: Sandbox) -> None:
        group = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/states/x:*"
        logging = {"level": "ERROR", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]}
        definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "End", "States": {"End": END}})

        with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
            sandbox.client("stepfunctions").create_state_machine(
                name="logging",
                definition=definition,
                roleArn=sandbox.role("states.amazonaws.com"),
                loggingConfiguration=logging,
            )


def _event_types(sandbox: Sandbox, execution: str) -> list[str]:
    history = sandbox.client("stepfunctions").get_execution_history(executionArn=execution)
    return [event["type"] for event in history["events"]]


def _allow_sending(sandbox: Sandbox, url: str, arn: str, source: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sandbox.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
