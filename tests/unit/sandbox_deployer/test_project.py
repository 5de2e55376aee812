"""Pulumi.yaml and Pulumi.<stack>.yaml, read as the Pulumi CLI reads them."""

import json
from pathlib import Path

import pytest

from sandbox.deployer.project import read_project
from sandbox.errors import SandboxError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(
        "name: labels\nruntime: python\nconfig:\n"
        "  projectArn:\n    type: string\n    description: The model's project\n"
        "  units:\n    type: integer\n    default: 1\n"
    )
    return tmp_path


def test_declared_defaults_are_filled_in_under_the_projects_name(folder: Path) -> None:
    project = read_project(folder, "dev", {"projectArn": "arn"})

    assert project.name == "labels"
    assert project.config == {"labels:projectArn": "arn", "labels:units": "1"}


def test_structured_values_become_json_and_scalars_text(folder: Path) -> None:
    (folder / "Pulumi.dev.yaml").write_text(
        "config:\n  labels:projectArn: arn\n  labels:grow: true\n  labels:confidence: 70.5\n"
        "  labels:wanted:\n    grass: 80\n  aws:region: us-east-1\n"
    )

    config = read_project(folder, "dev", {}).config

    assert config["labels:grow"] == "true"
    assert config["labels:confidence"] == "70.5"
    assert json.loads(config["labels:wanted"]) == {"grass": 80}
    assert config["aws:region"] == "us-east-1"


def test_overrides_win_over_the_stacks_file_and_the_file_over_fallbacks(folder: Path) -> None:
    (folder / "Pulumi.dev.yaml").write_text("config:\n  labels:projectArn: file\n  labels:units: 2\n")

    config = read_project(folder, "dev", {"units": 3}, fallback={"projectArn": "fallback"}).config

    assert config == {"labels:projectArn": "file", "labels:units": "3"}


def test_a_missing_required_value_is_named_with_its_description(folder: Path) -> None:
    with pytest.raises(SandboxError, match=r"missing configuration value 'labels:projectArn' \(The model's"):
        read_project(folder, "dev", {})


@pytest.mark.parametrize("units", ["many", "1.5", True])
def test_a_value_of_another_type_than_declared_is_refused(folder: Path, units: object) -> None:
    with pytest.raises(SandboxError, match=r"'labels:units' must be of type 'integer'"):
        read_project(folder, "dev", {"projectArn": "arn", "units": units})


def test_an_encrypted_value_is_refused(folder: Path) -> None:
    (folder / "Pulumi.dev.yaml").write_text("config:\n  labels:projectArn:\n    secure: AAABAA==\n")

    with pytest.raises(SandboxError, match=r"'labels:projectArn' is encrypted"):
        read_project(folder, "dev", {})


def test_a_folder_that_is_no_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"no Pulumi\.yaml"):
        read_project(tmp_path, "dev", {})
