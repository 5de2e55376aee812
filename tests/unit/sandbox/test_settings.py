"""The SANDBOX_* variables."""

import pytest

from sandbox.errors import SandboxError
from sandbox.settings import SandboxSettings


def test_everything_has_a_default() -> None:
    settings = SandboxSettings.from_environment({})

    assert (settings.port, settings.model_start_minutes, settings.tps_per_unit) == (4566, 10, 5)
    assert settings.endpoint_url == "http://127.0.0.1:4566"


def test_variables_win_over_defaults_and_an_empty_one_counts_as_unset() -> None:
    settings = SandboxSettings.from_environment({"SANDBOX_PORT": "4610", "SANDBOX_TPS_PER_UNIT": ""})

    assert (settings.port, settings.tps_per_unit) == (4610, 5)


def test_settings_reach_a_child_process_unchanged() -> None:
    settings = SandboxSettings(port=4610, time_scale=1 / 30, model_start_minutes=2.5)

    assert SandboxSettings.from_environment(settings.environment()) == settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SANDBOX_PORT", "http"),
        ("SANDBOX_PORT", "0"),
        ("SANDBOX_TIME_SCALE", "0"),
        ("SANDBOX_TIME_SCALE", "nan"),
        ("SANDBOX_MODEL_START_MINUTES", "-1"),
        ("SANDBOX_TPS_PER_UNIT", "inf"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(variable: str, value: str) -> None:
    with pytest.raises(SandboxError, match=f"{variable} is '{value}'; allowed is a .*number") as raised:
        SandboxSettings.from_environment({variable: value})

    assert "\n" not in str(raised.value)


def test_every_bad_value_is_named_at_once() -> None:
    with pytest.raises(SandboxError, match=r"SANDBOX_PORT.*SANDBOX_TIME_SCALE"):
        SandboxSettings.from_environment({"SANDBOX_PORT": "x", "SANDBOX_TIME_SCALE": "y"})
