"""What must exist before what: AWS refuses, or loses events, where Pulumi sees no reference."""

import pytest

from sandbox.deployer.model import Registration
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import (
    EVENT_SOURCE_MAPPING,
    FUNCTION,
    LOG_GROUP,
    QUEUE,
    QUEUE_POLICY,
    ROLE,
    ROLE_POLICY,
    SCHEDULE,
    STATE_MACHINE,
    TARGET,
    cloud_resources,
    precedes,
    record_component,
)


def role_policies(graph: Result, role_arn: str) -> list[Registration]:
    (role,) = (role for role in graph.of_type(ROLE) if role.outputs["arn"] == role_arn)
    return [policy for policy in graph.of_type(ROLE_POLICY) if policy.properties["role"] == role.properties["name"]]


def test_a_queue_lets_a_rule_in_before_the_rule_sends(graph: Result) -> None:
    queues = {queue.outputs["arn"]: queue.outputs["url"] for queue in graph.of_type(QUEUE)}
    policies = {policy.properties["queueUrl"]: policy for policy in graph.of_type(QUEUE_POLICY)}

    for target in graph.of_type(TARGET):
        named = {target.properties["arn"], target.properties["deadLetterConfig"]["arn"]} & set(queues)
        assert named
        for arn in named:
            assert precedes(graph, policies[queues[arn]], target)


def test_a_function_has_its_rights_and_its_log_group_first(graph: Result) -> None:
    for function in graph.of_type(FUNCTION):
        (policy,) = role_policies(graph, function.properties["role"])
        groups = graph.of_type(LOG_GROUP)
        (logs,) = (g for g in groups if g.properties["name"] == function.properties["loggingConfig"]["logGroup"])
        assert precedes(graph, policy, function)
        assert precedes(graph, logs, function)


def test_a_mapping_comes_after_the_functions_rights_on_the_queue(graph: Result) -> None:
    functions = {function.outputs["arn"]: function for function in graph.of_type(FUNCTION)}
    queues = {queue.outputs["arn"]: queue for queue in graph.of_type(QUEUE)}

    for mapping in graph.of_type(EVENT_SOURCE_MAPPING):
        function = functions[mapping.properties["functionName"]]
        (policy,) = role_policies(graph, function.properties["role"])
        assert policy.urn in mapping.explicit_dependencies
        assert precedes(graph, queues[mapping.properties["eventSourceArn"]], mapping)


@pytest.mark.parametrize("name", ["batch-run", "batch-release-model"])
def test_a_state_machine_comes_after_its_right_to_log(scheduled: Result, name: str) -> None:
    machine = scheduled.named(name, STATE_MACHINE)

    assert precedes(scheduled, scheduled.named(name, ROLE_POLICY), machine)
    assert precedes(scheduled, scheduled.named(name, LOG_GROUP), machine)


def test_a_target_with_a_role_comes_after_the_roles_rights(graph: Result) -> None:
    for resource in [*graph.of_type(TARGET), *graph.of_type(SCHEDULE)]:
        role = resource.properties.get("roleArn") or resource.properties.get("target", {}).get("roleArn")
        if role:
            assert all(precedes(graph, policy, resource) for policy in role_policies(graph, role))


def test_the_schedule_of_runs_comes_after_everything() -> None:
    graph = record_component()
    schedule = graph.named("batch-run", SCHEDULE)
    before = graph.created_before(schedule)

    assert [r.label for r in cloud_resources(graph) if r.urn not in {*before, schedule.urn}] == []


def test_the_guard_comes_after_everything_it_needs(scheduled: Result) -> None:
    guard = scheduled.named("batch-release-model", SCHEDULE)

    for name in ("batch-release-model-executions", "batch-run-executions"):
        assert precedes(scheduled, scheduled.named(name, ROLE_POLICY), guard)
    assert precedes(scheduled, scheduled.named("batch-release-model", STATE_MACHINE), guard)


def test_a_workflow_can_be_rescued_before_it_is_ever_run(scheduled: Result) -> None:
    schedule = scheduled.named("batch-run", SCHEDULE)

    assert precedes(scheduled, scheduled.named("batch-rescue", TARGET), schedule)
    assert precedes(scheduled, scheduled.named("batch-release-model", SCHEDULE), schedule)
