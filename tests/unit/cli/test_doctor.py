"""`clb doctor`."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from custom_labels_batch.cli.checks import CHECKS
from custom_labels_batch.cli.checks.account import needed
from custom_labels_batch.cli.errors import OperationError
from custom_labels_batch.cli.findings import Check, Finding, Level, examine, ok
from custom_labels_batch.cli.queues import queue_arn
from custom_labels_batch.cli.stack import Stack
from tests.unit.cli.aws_stack import VERSION, AwsStack, empty_package
from tests.unit.cli.conftest import Cli
from tests.unit.cli.test_status import alarm

Found = dict[str, list[Finding]]
Doctor = Callable[..., Found]

SETTINGS = {"maxInferenceUnits": 4, "tpsPerInferenceUnit": 5.0, "executionsPerInferenceUnit": 2}


@pytest.fixture
def deployed(aws: AwsStack, monkeypatch: pytest.MonkeyPatch) -> AwsStack:
    """A stack that is well."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_REGION", raising=False)
    for name in ("notification", "operations"):
        topic = aws.client("sns").create_topic(Name=name)["TopicArn"]
        aws.outputs[f"{name}TopicArn"] = topic
        aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:any")
    alarm(aws, "monitoring-failed-run-0123abc", "OK")
    definition = {"StartAt": "a", "States": {"a": {"Type": "Pass", "Assign": {"settings": SETTINGS}, "End": True}}}
    aws.client("stepfunctions").update_state_machine(
        stateMachineArn=aws.outputs["stateMachineArn"], definition=json.dumps(definition)
    )
    target = {"Arn": aws.outputs["releaseStateMachineArn"], "RoleArn": "arn:aws:iam::123456789012:role/any"}
    aws.client("scheduler").create_schedule(
        GroupName="batch",
        Name="batch-release-model",
        ScheduleExpression="rate(15 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    aws.end(aws.start("releaseStateMachineArn", "guard-1"))
    events = aws.client("events")
    events.put_rule(Name="batch-uploads", EventPattern='{"source": ["aws.s3"]}')
    queue = queue_arn(aws.client("sqs"), aws.outputs["imageQueueUrl"])
    events.put_targets(Rule="batch-uploads", Targets=[{"Id": "queue", "Arn": queue}])
    # moto has none of these.
    announces = {"EventBridgeConfiguration": dict[str, str]()}
    answers(monkeypatch, "s3", get_bucket_notification_configuration=lambda Bucket: announces)  # noqa: N803, ARG005
    answers(monkeypatch, "lambda", get_account_settings=lambda: account_limit(1000, 900))
    answers(monkeypatch, "iam", simulate_principal_policy=lambda **asked: evaluated(asked, "allowed"))
    quotas(monkeypatch, {})
    return aws


def answers(monkeypatch: pytest.MonkeyPatch, service: str, **operations: Any) -> None:
    """Let a stack's client of a service answer some operations so."""
    original = Stack.client

    def client(stack: Stack, name: str) -> Any:
        found = original(stack, name)
        if name == service:
            for operation, answer in operations.items():
                setattr(found, operation, answer)
        return found

    monkeypatch.setattr(Stack, "client", client)


def account_limit(of_all: int, unreserved: int) -> dict[str, Any]:
    """What Lambda answers to GetAccountSettings."""
    return {"AccountLimit": {"ConcurrentExecutions": of_all, "UnreservedConcurrentExecutions": unreserved}}


def evaluated(asked: dict[str, Any], decision: str, *actions: str) -> dict[str, Any]:
    """What IAM's simulation answers, with a decision on the named actions, or on all."""
    return {
        "EvaluationResults": [
            {"EvalActionName": name, "EvalDecision": decision if not actions or name in actions else "allowed"}
            for name in asked["ActionNames"]
        ]
    }


def quotas(monkeypatch: pytest.MonkeyPatch, found: dict[str, float], defaults: dict[str, float] | None = None) -> None:
    class Pages:
        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            yield {
                "Quotas": [{"QuotaCode": name, "QuotaName": name, "Value": value} for name, value in self.found.items()]
            }

        def __init__(self, found: dict[str, float]) -> None:
            self.found = found

    known = {"list_service_quotas": Pages(found), "list_aws_default_service_quotas": Pages(defaults or {})}
    answers(monkeypatch, "service-quotas", get_paginator=known.__getitem__)


_OTHERWISE_CALLED = {"model_without_a_run": "model", "schedules": "schedule", "last_run": "last run"}


@pytest.fixture
def doctor(deployed: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """The findings of each check; with a name only that one's, which is quicker."""

    def examined(wanted: str | None = None) -> Found:
        if wanted:
            made = [c for c in CHECKS if _OTHERWISE_CALLED.get(c.__name__, c.__name__.replace("_", " ")) == wanted]
            monkeypatch.setattr("custom_labels_batch.cli.doctor.CHECKS", made)
        said = cli("doctor", "--json", "--outputs", deployed.file())
        found: Found = {}
        for item in json.loads(said.out)["findings"]:
            finding = Finding.model_validate(item)
            found.setdefault(finding.check, []).append(finding)
        problems = [f for findings in found.values() for f in findings if f.level is Level.PROBLEM]
        assert said.code == (1 if problems else 0)
        return found

    return examined


def only(found: Found, check: str) -> Finding:
    (finding,) = found[check]
    return finding


def test_a_stack_that_is_well_has_no_problem(doctor: Doctor) -> None:
    levels = {check: {finding.level for finding in findings} for check, findings in doctor().items()}
    quotas_nobody_names = {"inference units", "calls a second"}
    assert {check for check, found in levels.items() if found != {Level.OK}} == quotas_nobody_names
    assert {level for check in quotas_nobody_names for level in levels[check]} == {Level.NOT_CHECKED}


def test_it_is_drawn_as_a_table_with_what_to_do(deployed: AwsStack, cli: Cli) -> None:
    deployed.send("imageDeadLetterQueueUrl", 2)
    said = cli("doctor", "--outputs", deployed.file())
    assert said.code == 1
    assert "problem dead letters 2 messages of images → clb redrive --dry-run says why" in said.words
    assert said.words.endswith("1 problem, 2 not checked")
    assert max(map(len, said.out.splitlines())) <= 80
    assert "\x1b" not in said.out


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_warning_is_no_problem(deployed: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv(variable, "us-east-1")
    said = cli("doctor", "--outputs", deployed.file())
    assert said.code == 0
    assert "warning region the stack is in eu-west-1; your AWS configuration says us-east-1" in said.words


class TestTheAccount:
    def test_without_credentials_nothing_else_is_looked_at(
        self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expired = ClientError({"Error": {"Code": "ExpiredToken", "Message": "No."}}, "GetCallerIdentity")

        def refuse() -> None:
            raise expired

        answers(monkeypatch, "sts", get_caller_identity=refuse)
        found = doctor()
        assert list(found) == ["credentials"]
        assert only(found, "credentials").level is Level.PROBLEM
        assert "sign in" in only(found, "credentials").finding

    def test_of_another_stack_is_a_problem(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.outputs["predictionsTopicArn"] = "arn:aws:sns:eu-west-1:999999999999:predictions"
        assert "the stack of account 999999999999" in only(doctor("credentials"), "credentials").finding

    def test_that_may_not_do_something_is_told_what(self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
        denied = ("sqs:StartMessageMoveTask", "states:StopExecution")
        answers(monkeypatch, "iam", simulate_principal_policy=lambda **a: evaluated(a, "implicitDeny", *denied))
        finding = only(doctor("permissions"), "permissions")
        assert finding.level is Level.WARNING
        assert "may not sqs:StartMessageMoveTask, states:StopExecution" in finding.finding

    def test_whose_rights_hang_on_what_only_a_real_call_has_is_not_warned(
        self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def on_mfa(**asked: Any) -> dict[str, Any]:
            found = evaluated(asked, "implicitDeny")
            for result in found["EvaluationResults"]:
                result["MissingContextValues"] = ["aws:MultiFactorAuthPresent"]
            return found

        answers(monkeypatch, "iam", simulate_principal_policy=on_mfa)
        assert only(doctor("permissions"), "permissions").level is Level.OK

    def test_that_may_not_ask_iam_is_told_that_nobody_knows(
        self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "SimulatePrincipalPolicy")

        def refuse(**_: Any) -> None:
            raise refusal

        answers(monkeypatch, "iam", simulate_principal_policy=refuse)
        finding = only(doctor("permissions"), "permissions")
        assert (finding.level, finding.finding) == (Level.NOT_CHECKED, "SimulatePrincipalPolicy is not allowed")

    def test_in_a_role_is_simulated_by_the_roles_own_arn(
        self, doctor: Doctor, deployed: AwsStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        role = deployed.client("iam").create_role(RoleName="operator", Path="/people/", AssumeRolePolicyDocument="{}")
        caller = {"Account": "123456789012", "Arn": "arn:aws:sts::123456789012:assumed-role/operator/someone"}
        asked: list[dict[str, Any]] = []

        def simulate(**given: Any) -> dict[str, Any]:
            asked.append(given)
            return evaluated(given, "allowed")

        answers(monkeypatch, "sts", get_caller_identity=lambda: caller)
        answers(monkeypatch, "iam", simulate_principal_policy=simulate)
        assert only(doctor("permissions"), "permissions").level is Level.OK
        assert {given["PolicySourceArn"] for given in asked} == {role["Role"]["Arn"]}

    def test_is_asked_about_the_stacks_own_resources(self, deployed: AwsStack) -> None:
        outputs = Stack("it", deployed.outputs)
        assert needed(outputs)[deployed.outputs["stateMachineArn"]] == [
            "states:StartExecution",
            "states:ListExecutions",
        ]
        assert "arn:aws:sqs:eu-west-1:123456789012:imageDeadLetterQueueUrl" in needed(outputs)


class TestTheProject:
    def test_that_is_gone_is_told(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.versions = []
        assert only(doctor("project"), "project").finding == "no version can run: it has no versions"

    def test_whose_pinned_version_is_gone_names_those_that_are_there(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.outputs["modelVersion"] = "v9"
        finding = only(doctor("project"), "project")
        assert (finding.level, finding.finding) == (Level.PROBLEM, "there is no version v9")
        assert finding.to_do == "set modelVersion to one that is there: v2"

    def test_whose_pinned_version_failed_says_why(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.outputs["modelVersion"] = "v2"
        deployed.versions = [{**deployed.version("FAILED"), "StatusMessage": "Out of capacity."}]
        finding = only(doctor("project"), "project")
        assert finding.level is Level.PROBLEM
        assert finding.finding == "v2, which is pinned, is FAILED: Out of capacity."

    @pytest.mark.parametrize("status", ["FAILED", "EXPIRED", "DEPRECATED"])
    def test_with_a_version_that_no_run_takes_says_so(self, deployed: AwsStack, doctor: Doctor, status: str) -> None:
        deployed.versions = [deployed.version(status, VERSION.replace("v2", "v3")), deployed.version()]
        well, other = doctor("project")["project"]
        assert (well.level, well.finding) == (Level.OK, "v2 is STOPPED")
        assert other.level is Level.WARNING
        assert other.finding.startswith(f"v3 is {status}: ")

    def test_that_another_stack_has_too_is_a_problem(self, deployed: AwsStack, doctor: Doctor) -> None:
        client = deployed.client("lambda")
        for stack, project in (("dev", deployed.outputs["projectArn"]), ("other", "arn:of-another")):
            client.create_function(
                FunctionName=f"analyze-image-{stack}",
                Runtime="python3.13",
                Handler="functions.analyze_image.handler.handler",
                Role=client.get_function_configuration(FunctionName="analyze-image")["Role"],
                Code={"ZipFile": empty_package()},
                Environment={"Variables": {"PROJECT_ARN": project}},
                Tags={"Project": "roofs", "Stack": stack, "Component": "BatchInference"},
            )
        finding = only(doctor("neighbours"), "neighbours")
        assert finding.level is Level.PROBLEM
        assert finding.finding == "dev of roofs has the same project: each uses or stops the other's model"

    def test_whose_model_runs_without_a_run_costs_money(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.versions = [deployed.version("RUNNING", units=2)]
        finding = only(doctor("model"), "model")
        assert finding.level is Level.PROBLEM
        assert "v2 is RUNNING without a run, for 8.00 USD an hour" in finding.finding
        assert f"aws rekognition stop-project-version --project-version-arn {VERSION}" in finding.to_do

    def test_whose_model_runs_for_a_run_is_well(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.versions = [deployed.version("RUNNING", units=2)]
        deployed.lock(deployed.start())
        found = doctor()
        assert only(found, "model").level is Level.OK
        assert only(found, "lock").level is Level.OK

    def test_that_nobody_runs_is_a_problem_with_trigger_upload(self, deployed: AwsStack, doctor: Doctor) -> None:
        for name in ("stateMachineArn", "releaseStateMachineArn", "scheduleArn", "runsTableName"):
            deployed.outputs[name] = None
        found = doctor()
        assert "with trigger upload nothing starts one" in only(found, "model").finding
        assert "no upload is labelled" in only(found, "mapping").finding
        assert {"lock", "schedule", "guard", "last run"} & set(found) == set()


class TestRuns:
    def test_whose_execution_is_dead_hold_the_model_for_nothing(self, deployed: AwsStack, doctor: Doctor) -> None:
        run = deployed.start()
        deployed.lock(run)
        deployed.end(run, "TIMED_OUT")
        finding = only(doctor("lock"), "lock")
        assert finding.level is Level.PROBLEM
        assert finding.finding == "run tick-1 holds the model (v2), and its execution is TIMED_OUT"

    def test_whose_execution_is_forgotten_too(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.lock("arn:aws:states:eu-west-1:123456789012:execution:run:long-ago")
        assert "its execution is gone" in only(doctor("lock"), "lock").finding

    def test_that_are_over_leave_no_mapping_open(self, deployed: AwsStack, doctor: Doctor) -> None:
        uuid = deployed.outputs["eventSourceMappingUuid"]
        deployed.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=True)
        finding = only(doctor("mapping"), "mapping")
        assert finding.level is Level.PROBLEM
        assert "while no run is active" in finding.finding

    def test_that_failed_last_say_why(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.record("run", outcome="FAILED", cause="ModelStopped: v2 went to STOPPED")
        finding = only(doctor("last run"), "last run")
        assert (finding.level, finding.finding) == (Level.WARNING, "FAILED: ModelStopped: v2 went to STOPPED")

    @pytest.mark.parametrize(
        ("name", "check", "level"), [("run", "schedule", "warning"), ("release-model", "guard", "problem")]
    )
    def test_and_the_guard_need_their_schedules(
        self, deployed: AwsStack, doctor: Doctor, name: str, check: str, level: str
    ) -> None:
        scheduler = deployed.client("scheduler")
        found = scheduler.get_schedule(GroupName="batch", Name=f"batch-{name}")
        kept = {key: found[key] for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target", "GroupName", "Name")}
        scheduler.update_schedule(**kept, State="DISABLED")
        worst = doctor()[check][0]
        assert worst.level == level
        assert "switched off" in worst.finding
        assert worst.to_do.startswith("pulumi up --refresh")

    def test_are_not_guarded_where_the_guards_schedule_is_gone(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.client("scheduler").delete_schedule(GroupName="batch", Name="batch-release-model")
        assert "its schedule is gone" in doctor("schedule")["guard"][0].finding

    def test_are_not_guarded_by_a_guard_that_has_not_run_lately(
        self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Later(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime.now(tz) + timedelta(minutes=40)

        monkeypatch.setattr("custom_labels_batch.cli.checks.runs.datetime", Later)
        finding = only(doctor("guard"), "guard")
        assert finding.level is Level.PROBLEM
        assert "ran 40 min ago, and should every 15 minutes" in finding.finding

    def test_may_leave_a_model_running_where_the_last_release_failed(self, deployed: AwsStack, doctor: Doctor) -> None:
        release = deployed.start("releaseStateMachineArn", "guard-2")
        deployed.end(release, "FAILED", "ModelNotStopped", "v2 is STOPPING 90 minutes after it was to be stopped.")
        _, finding = doctor("guard")["guard"]
        assert finding.level is Level.PROBLEM
        assert "v2 is STOPPING 90 minutes after" in finding.finding


class TestImages:
    @pytest.mark.parametrize(
        ("output", "name"), [("imageDeadLetterQueueUrl", "images"), ("analyticsDeadLetterQueueUrl", "analytics")]
    )
    def test_that_failed_are_counted(self, deployed: AwsStack, doctor: Doctor, output: str, name: str) -> None:
        deployed.send(output, 1)
        finding = only(doctor("dead letters"), "dead letters")
        assert (finding.level, finding.finding) == (Level.PROBLEM, f"1 message of {name}")

    def test_runs_that_could_not_be_rescued_are_counted(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.outputs["rescueDeadLetterQueueUrl"] = deployed.client("sqs").create_queue(QueueName="rescue")[
            "QueueUrl"
        ]
        deployed.send("rescueDeadLetterQueueUrl", 1)
        assert (
            "1 failed run for which release_model could not be started"
            in only(doctor("dead letters"), "dead letters").finding
        )

    def test_of_a_bucket_that_does_not_announce_them_are_not_labelled(
        self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers(monkeypatch, "s3", get_bucket_notification_configuration=lambda Bucket: {})  # noqa: N803, ARG005
        finding = only(doctor("uploads"), "uploads")
        assert finding.level is Level.PROBLEM
        assert "source does not tell EventBridge" in finding.finding


class TestPeople:
    def test_who_have_not_confirmed_are_named(self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
        class Pages:
            def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
                yield {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation", "Endpoint": "ann@example.com"}]}

        answers(monkeypatch, "sns", get_paginator=lambda _: Pages())
        labels, alarms = doctor("subscriptions")["subscriptions"]
        assert (labels.level, labels.finding) == (
            Level.WARNING,
            "of labels of interest, not confirmed: ann@example.com",
        )
        assert alarms.finding == "of alarms, not confirmed: ann@example.com"

    def test_who_hear_of_alarms_are_wanted(self, deployed: AwsStack, doctor: Doctor) -> None:
        sns = deployed.client("sns")
        for found in sns.list_subscriptions()["Subscriptions"]:
            sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
        labels, alarms = doctor("subscriptions")["subscriptions"]
        assert (labels.level, labels.finding) == (Level.OK, "nobody wants to hear of labels of interest")
        assert (alarms.level, alarms.finding) == (Level.WARNING, "nobody hears of alarms")

    def test_are_told_of_alarms_that_are_raised(self, deployed: AwsStack, doctor: Doctor) -> None:
        alarm(deployed, "monitoring-image-dead-letter-0123abc", "ALARM")
        finding = only(doctor("alarms"), "alarms")
        assert finding.level is Level.PROBLEM
        assert finding.finding == "monitoring-image-dead-letter: Images could not be labelled."
        assert finding.to_do == "look at a message."


class TestUploads:
    def test_that_a_rule_does_not_pass_on_are_a_problem(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.client("events").disable_rule(Name="batch-uploads")
        found = only(doctor("uploads"), "uploads")
        assert (found.level, found.finding) == (
            Level.PROBLEM,
            "the rule batch-uploads is switched off: no upload is labelled",
        )

    def test_that_no_rule_passes_on_are_a_problem(self, deployed: AwsStack, doctor: Doctor) -> None:
        deployed.client("events").remove_targets(Rule="batch-uploads", Ids=["queue"])
        assert "no rule passes its events on" in only(doctor("uploads"), "uploads").finding


class TestQuotas:
    def test_that_are_enough_are_told_with_what_is_wanted(
        self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        quotas(monkeypatch, {"Inference units per model": 5, "DetectCustomLabels calls a second": 50, "Others": 1})
        found = doctor()
        assert only(found, "inference units").finding == "4 wanted at most; Inference units per model: 5"
        assert only(found, "calls a second").finding == "20 wanted at most; DetectCustomLabels calls a second: 50"

    def test_that_are_too_low_are_warned_of(self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
        quotas(monkeypatch, {"Inference units per model": 2, "Inference units per account": 10})
        finding = only(doctor("inference units"), "inference units")
        assert (finding.level, finding.finding) == (
            Level.WARNING,
            "a run may want 4; Inference units per model: 2",
        )

    def test_that_nobody_changed_are_awss_defaults(self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
        names = "Inference units per model", "DetectCustomLabels calls a second"
        quotas(monkeypatch, {names[1]: 100}, defaults={names[0]: 5, names[1]: 50})
        found = doctor()
        assert only(found, "inference units").finding.endswith("Inference units per model: 5")
        assert only(found, "calls a second").finding.endswith("DetectCustomLabels calls a second: 100")

    def test_of_lambda_are_held_against_what_the_units_need(
        self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers(monkeypatch, "lambda", get_account_settings=lambda: account_limit(10, 7))
        finding = only(doctor("concurrency"), "concurrency")
        assert finding.level is Level.WARNING
        assert finding.finding == "7 of 10 executions at once are not reserved; 8 are wanted"


class TestAnyCheck:
    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "GetThing"), "GetThing is not allowed"),
            (ClientError({"Error": {"Code": "Unknown", "Message": "No."}}, "GetThing"), "GetThing: Unknown: No."),
            (OperationError("nobody knows"), "nobody knows"),
            (KeyError("Quotas"), "the check itself failed: KeyError: 'Quotas'"),
        ],
    )
    def test_that_cannot_be_made_says_so_and_takes_no_other_with_it(self, error: Exception, told: str) -> None:
        def a_question(_: Stack) -> Iterator[Finding]:
            raise error

        def another(_: Stack) -> Iterator[Finding]:
            yield ok("another", "well")

        checks: list[Check] = [a_question, another]
        first, second = examine(Stack("it", {}), checks)
        assert (first.check, first.level, first.finding) == ("a question", Level.NOT_CHECKED, told)
        assert second == ok("another", "well")


def test_every_finding_that_is_not_well_says_what_to_do(deployed: AwsStack, doctor: Doctor) -> None:
    deployed.versions = [deployed.version("RUNNING", units=1)]
    deployed.send("imageDeadLetterQueueUrl", 1)
    deployed.record("run", outcome="FAILED", cause="any")
    found = [finding for findings in doctor().values() for finding in findings if finding.level is not Level.OK]
    assert len(found) >= 4
    assert [finding for finding in found if not finding.to_do] == []
