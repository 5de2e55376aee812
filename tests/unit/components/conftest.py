"""The recorded graphs, each recorded once."""

import pytest

from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import record_stack


@pytest.fixture(scope="session")
def scheduled() -> Result:
    """The stack with its defaults and two tags."""
    return record_stack(tags={"owner": "vision-team", "Stack": "mine"})


@pytest.fixture(scope="session")
def on_upload() -> Result:
    """The stack that labels every upload at once."""
    return record_stack(trigger="upload")


@pytest.fixture(scope="session")
def existing_bucket() -> Result:
    """The stack on a bucket that exists already."""
    return record_stack(existingSourceBucketName="acme-photographs")


@pytest.fixture(scope="session")
def prefixed() -> Result:
    """The stack for the images under a prefix."""
    return record_stack(imagePrefix="photographs/")


@pytest.fixture(scope="session", params=["scheduled", "on_upload", "existing_bucket", "prefixed"])
def graph(request: pytest.FixtureRequest) -> Result:
    """Every kind of stack, for what is true of them all."""
    found: Result = request.getfixturevalue(request.param)
    return found
