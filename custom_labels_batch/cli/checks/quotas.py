"""Whether the account lets the stack work as it is set to.

Rekognition's quotas are found by what they are called, since AWS documents no codes for those of Custom Labels.
"""

from collections.abc import Iterator
from typing import Any

from custom_labels_batch.cli.checks.runs import run_settings
from custom_labels_batch.cli.findings import Finding, not_checked, ok, warning
from custom_labels_batch.cli.stack import Stack

_ASK = "ask for more in the Service Quotas console, or set maxInferenceUnits lower"


def inference_units(stack: Stack) -> Iterator[Finding]:
    """Whether a run may start as many inference units as it is set to."""
    if stack.is_scheduled:
        wanted = float(run_settings(stack)["maxInferenceUnits"])
        yield _compared("inference units", wanted, "inference unit", stack)


def calls_a_second(stack: Stack) -> Iterator[Finding]:
    """Whether the account may make as many DetectCustomLabels calls as the units take."""
    if stack.is_scheduled:
        settings = run_settings(stack)
        wanted = float(settings["maxInferenceUnits"]) * float(settings["tpsPerInferenceUnit"])
        yield _compared("calls a second", wanted, "detectcustomlabels", stack)


def _compared(check: str, wanted: float, part_of_name: str, stack: Stack) -> Finding:
    if stack.endpoint_url:
        return not_checked(check, "a sandbox has no quotas")
    found = [quota for quota in _quotas(stack) if part_of_name in quota["QuotaName"].lower()]
    if not found:
        return not_checked(check, "Service Quotas names no such quota of Rekognition", "AWS support knows it")
    lowest = min(found, key=lambda quota: quota["Value"])
    said = f"{lowest['QuotaName']}: {lowest['Value']:g}"
    if lowest["Value"] < wanted:
        return warning(check, f"a run may want {wanted:g}; {said}", _ASK)
    return ok(check, f"{wanted:g} wanted at most; {said}")


def _quotas(stack: Stack) -> list[Any]:
    """Rekognition's quotas: as applied to the account, else AWS's default, which the applied ones may lack."""
    client = stack.client("service-quotas")
    found: dict[str, Any] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode="rekognition"):
            found |= {quota["QuotaCode"]: quota for quota in page["Quotas"]}
    return list(found.values())


def concurrency(stack: Stack) -> Iterator[Finding]:
    """Whether Lambda lets as many functions run at once as the mapping opens."""
    mapping = stack.lambda_.get_event_source_mapping(UUID=stack.output("eventSourceMappingUuid"))
    wanted = mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 2)
    if stack.is_scheduled:
        settings = run_settings(stack)
        most = int(settings["maxInferenceUnits"]) * int(settings["executionsPerInferenceUnit"])
        wanted = max(wanted, most)
    limit = stack.lambda_.get_account_settings()["AccountLimit"]
    free = limit["UnreservedConcurrentExecutions"]
    said = f"{free:,} of {limit['ConcurrentExecutions']:,} executions at once are not reserved; {wanted:,} are wanted"
    if free < wanted:
        yield warning("concurrency", said, "ask for more in the Service Quotas console, or set maxInferenceUnits lower")
    else:
        yield ok("concurrency", said)
