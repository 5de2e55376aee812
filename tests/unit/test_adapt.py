"""docs/adapt.md names what there is to adapt to: every state, every status of an endpoint, every error of a call."""

import re
from collections.abc import Iterator

import botocore.session
import pytest
from botocore.model import ServiceModel, StringShape

from sandbox.deploy import REPOSITORY
from tests.workflows.definitions import NAMES, states

TABLE_ROWS = [
    line for line in (REPOSITORY / "docs" / "adapt.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")
]


def service(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


def first_cells() -> Iterator[str]:
    yield from (row.split("|")[1] for row in TABLE_ROWS)


@pytest.mark.parametrize("name", NAMES)
def test_its_table_has_the_states_that_speak_to_the_model(name: str) -> None:
    told = {match[1] for row in TABLE_ROWS if (match := re.match(rf"\| `{name}` \| (.+?) \|", row))}

    assert told == {key for key, task in states(name, "Task").items() if "rekognition" in task["Resource"]}


def test_its_table_has_every_status_of_an_endpoint() -> None:
    shape = service("sagemaker").shape_for("EndpointStatus")
    assert isinstance(shape, StringShape)

    assert set(shape.enum) <= {status for cell in first_cells() for status in re.findall(r"`(\w+)`", cell)}


def test_its_table_has_every_error_of_a_call() -> None:
    errors = {error.name for error in service("sagemaker-runtime").operation_model("InvokeEndpoint").error_shapes}

    assert errors <= {name for cell in first_cells() for name in re.findall(r"`(\w+)`", cell)}
