"""The simulated AWS account that the workflows' tests share."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.workflows.world import World, the_world


@pytest.fixture(autouse=True, scope="module")
def _dynamodb_of_moto() -> Iterator[None]:
    """Once for each module: a world has a table of its own."""
    with mock_aws():
        yield


@pytest.fixture
def world() -> Iterator[World]:
    with the_world() as made:
        yield made
