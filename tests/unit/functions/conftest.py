"""The world that the functions' tests share."""

from collections.abc import Iterator

import pytest

from tests.unit.functions.world import REGION, World, make_world


@pytest.fixture(autouse=True)
def _no_account_of_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "analyze-image")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "CustomLabelsBatch")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "batch-analyze-image")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world(_no_account_of_anybody: None) -> Iterator[World]:
    yield from make_world()
