"""The documents' tables that follow from one thing each: settings, queries, columns, the schema, the fault cases."""

import contextlib
import io
import json
import shlex
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from pydantic.fields import FieldInfo

from custom_labels_batch.cli.app import main
from custom_labels_batch.components.predictions_table import VIEW_COLUMNS
from custom_labels_batch.components.query_files import saved_queries
from settings import Settings
from tests.faults.cases import cases

GROUPS = {
    "Model and runs": (
        "project_arn", "model_version", "trigger", "schedule", "schedule_timezone", "min_confidence", "min_batch_size",
        "max_queue_age_minutes", "max_inference_units", "tps_per_inference_unit", "target_drain_minutes",
        "max_run_minutes",
    ),
    "Buckets": (
        "source_bucket_name", "existing_source_bucket_name", "image_prefix", "final_bucket_name",
        "analytics_bucket_name", "data_buckets", "force_destroy",
    ),
    "Notifications": (
        "labels_of_interest", "notification_emails", "notification_subscriptions", "notification_mode",
        "notification_batching_window_seconds", "presigned_url_minutes",
    ),
    "Analytics": ("bytes_scanned_cutoff_per_query", "quick_sight_principal_arn"),
    "Operations": ("alarm_emails", "summary_emails", "inference_unit_hour_price", "tags", "powertools_layer_arn"),
    "Retention": (
        "log_retention_days", "noncurrent_version_retention_days", "run_retention_days", "prediction_retention_days",
        "query_result_retention_days",
    ),
}  # fmt: skip
"""Every setting is in one of them."""


def settings() -> str:
    """Every setting, by group."""
    header = ["setting", "default", "what it is, and what is allowed"]
    return "\n".join(
        f"### {group}\n\n{_table(header, (_setting(Settings.model_fields[name]) for name in names))}"
        for group, names in GROUPS.items()
    )


def _setting(field: FieldInfo) -> tuple[str, str, str]:
    extra: Any = field.json_schema_extra
    # In one cell: an ARN does not wrap, and a column of its own would push the table off the page.
    return f"`{field.alias}`", _default(field), f"{field.description}.<br>Allowed: {extra['allowed']}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default in (None, [], {}, ""):
        return "none"
    return f"`{field.default if isinstance(field.default, str) else json.dumps(field.default)}`"


def columns() -> str:
    """What the view of predictions shows."""
    return _table(["column", "type", "what it is"], ((f"`{it.name}`", it.type, it.comment) for it in VIEW_COLUMNS))


def saved() -> str:
    """The queries that are saved in the workgroup."""
    return _table(["saved query", "what it answers"], ((query.title, query.description) for query in saved_queries()))


def faults() -> str:
    """Every fault case, by area."""
    header = ["case", "what is broken", "what the stack does", "found and mended"]
    areas = groupby(cases(), key=lambda case: case.area)
    return "\n".join(
        f"### {area}\n\n{_table(header, ((it.name, it.broken, it.does, it.found or 'nothing') for it in found))}"
        for area, found in areas
    )


def console(command: str) -> str:
    """A `clb` command, and what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        main(shlex.split(command.removeprefix("clb ")))
    lines = (f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())
    return f"```console\n$ {command}\n{''.join(lines)}```\n"


def components(schema: str) -> str:
    """Every component of the package's schema, with its inputs and outputs, and the structures that these have."""
    found = json.loads(schema)
    parts = [_component(token.rpartition(":")[2], component) for token, component in found["resources"].items()]
    for token, structure in found["types"].items():
        keys = _inputs("key", structure["properties"], structure["required"])
        parts.append(f"### {token.rpartition(':')[2]}\n\n{structure['description']}\n\n{keys}")
    return "\n".join(parts)


def _component(name: str, found: dict[str, Any]) -> str:
    inputs = _inputs("input", found["inputProperties"], found["requiredInputs"])
    results = ((f"`{key}`", output["description"]) for key, output in found["properties"].items())
    outputs = _table(["output", "what it is"], results)
    return f"### {name}\n\n{found['description']}\n\n{inputs}\n{outputs}"


def _inputs(kind: str, found: dict[str, Any], required: list[str]) -> str:
    rows = (
        (f"`{name}`{' **required**' if name in required else ''}", _type(wanted), wanted["description"])
        for name, wanted in found.items()
    )
    return _table([kind, "type", "what it is"], rows)


def _type(wanted: dict[str, Any]) -> str:
    """A type as people say it; `*` where it may be an output."""
    if wanted.get("$ref") == "pulumi.json#/Any":
        return "anything"
    if "$ref" in wanted:
        name = wanted["$ref"].rpartition(":")[2]
        return f"[{name}](#{name.lower()})"
    if items := wanted.get("items"):
        return f"list of {_type(items)}"
    if inside := wanted.get("additionalProperties"):
        return f"map to {_type(inside)}"
    return f"{wanted['type']}{'' if wanted.get('plain') else ' *'}"


def _table(header: list[str], rows: Iterable[Iterable[str]]) -> str:
    lines = (" | ".join(cell.replace("|", "\\|") for cell in cells) for cells in [header, ["---"] * len(header), *rows])
    return "".join(f"| {line} |\n" for line in lines)
