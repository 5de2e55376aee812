"""The function that refuses `pulumi destroy`."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from custom_labels_batch.functions.refuse_destroy.lock import DestroyRefusedError
from custom_labels_batch.functions.shared.environment import WrongEnvironmentError
from tests.unit.functions.execution_environment import forget_the_functions
from tests.unit.functions.lambda_context import Context
from tests.unit.functions.timeouts import longest_call
from tests.unit.functions.world import REGION

Handler = Callable[[dict[str, Any], Context], dict[str, str]]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("RUNS_TABLE_NAME", "runs")
    forget_the_functions()
    with mock_aws():
        yield boto3.resource("dynamodb", REGION).create_table(
            TableName="runs",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("kind", "id")],
        )


@pytest.fixture
def handler(table: Any) -> Handler:
    made: Handler = importlib.import_module("custom_labels_batch.functions.refuse_destroy.handler").handler
    return made


def lock(table: Any) -> None:
    run = f"arn:aws:states:{REGION}:123456789012:execution:batch-run:tick-1"
    table.put_item(Item={"kind": "lock", "id": "model", "executionArn": run, "runExecutionArn": run})


def event(action: str) -> dict[str, Any]:
    """As the AWS provider makes it for `aws_lambda_invocation`."""
    return {"tf": {"action": action, "prev_input": None}}


def test_a_destroy_while_a_run_holds_the_model_is_refused_with_what_to_do(table: Any, handler: Handler) -> None:
    lock(table)
    with pytest.raises(DestroyRefusedError, match=r"^Nothing was destroyed: run tick-1 holds .*`clb destroy` ends"):
        handler(event("delete"), Context())


def test_a_destroy_while_no_run_holds_the_model_goes_on(handler: Handler) -> None:
    assert handler(event("delete"), Context()) == {"answer": "go on"}


@pytest.mark.parametrize("action", ["create", "update"])
def test_pulumi_up_goes_on_during_a_run(table: Any, handler: Handler, action: str) -> None:
    lock(table)
    assert handler(event(action), Context()) == {"answer": "go on"}


def test_a_destroy_is_refused_where_nobody_knows(table: Any, handler: Handler) -> None:
    table.delete()
    with pytest.raises(Exception, match="ResourceNotFound"):
        handler(event("delete"), Context())


def test_it_looks_for_no_longer_than_lambda_lets_it(handler: Handler) -> None:
    found = importlib.import_module("custom_labels_batch.functions.refuse_destroy.wiring").lock
    assert longest_call(found._dynamodb) < 30


def test_without_its_variable_it_does_not_start(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNS_TABLE_NAME")
    with pytest.raises(WrongEnvironmentError, match="RUNS_TABLE_NAME is not set"):
        importlib.import_module("custom_labels_batch.functions.refuse_destroy.wiring")
