"""The plugin, started once, and a deployment for each test."""

from collections.abc import Iterator

import pytest

from tests.unit.plugin.engine import PLUGIN, Deployment, Plugin, started_plugin


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """The plugin as a program of another language starts it: from that program's folder."""
    with started_plugin(PLUGIN, tmp_path_factory.mktemp("program")) as plugin:
        yield plugin


@pytest.fixture
def deployment(plugin: Plugin) -> Iterator[Deployment]:
    """A stack with nothing in it."""
    with plugin.deployment() as deployment:
        yield deployment
