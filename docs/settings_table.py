"""The settings in docs/deploy.md, made from `settings.py`: `python -m docs.settings_table` writes its tables anew."""

import json
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from settings import Settings

DOCUMENT = Path(__file__).parent / "deploy.md"
BEGIN, END = "<!-- settings: python -m docs.settings_table -->\n", "<!-- /settings -->"

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

HEADER = "| setting | default | what it is, and what is allowed |\n| --- | --- | --- |\n"


def tables() -> str:
    """Every setting, in a Markdown table for each group."""
    return "\n".join(
        f"### {group}\n\n{HEADER}{''.join(_row(Settings.model_fields[name]) for name in names)}"
        for group, names in GROUPS.items()
    )


def renewed(text: str) -> str:
    """A document with the tables as they are now, between the markers."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{BEGIN}{tables()}{end}{after}"


def _row(field: FieldInfo) -> str:
    extra: Any = field.json_schema_extra
    # In one cell: an ARN does not wrap, and a column of its own would push the table off the page.
    meaning = f"{field.description}.<br>Allowed: {extra['allowed']}"
    cells = (f"`{field.alias}`", _default(field), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default in (None, [], {}, ""):
        return "none"
    return f"`{field.default if isinstance(field.default, str) else json.dumps(field.default)}`"


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
