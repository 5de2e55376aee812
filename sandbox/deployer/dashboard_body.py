"""A CloudWatch dashboard's body, checked as CloudWatch reads it.

From "Dashboard body structure and syntax" in the CloudWatch API reference; botocore's model has only a string.
Properties that this project's dashboards do not use are not known here, and refused.
"""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sandbox.deployer.alarm_rules import unknown_names
from sandbox.errors import SandboxError

_ALARM_ARN = r"^arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:[0-9]{12}:alarm:.+$"
_START = r"^-P(T[0-9]+[MH]|[0-9]+[DWM])$"
_STATISTIC = r"^(SampleCount|Average|Sum|Minimum|Maximum|p[0-9]{1,2}(\.[0-9]+)?)$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Text(_Strict):
    markdown: str = Field(min_length=1)


class _Alarms(_Strict):
    alarms: list[Annotated[str, Field(pattern=_ALARM_ARN)]] = Field(min_length=1, max_length=100)
    title: str = ""


class _Rendering(_Strict):
    """What may stand last in a metric's array."""

    stat: str | None = Field(None, pattern=_STATISTIC)
    label: str | None = None
    id: str | None = Field(None, pattern=r"^[a-z][a-zA-Z0-9_]*$")
    expression: str | None = None
    period: int | None = Field(None, ge=60, multiple_of=60)
    visible: bool = True


class _Metrics(_Strict):
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")
    title: str = ""
    view: Literal["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]
    stacked: bool = False
    period: int = Field(ge=60, multiple_of=60)
    start: str | None = Field(None, pattern=_START)
    metrics: list[list[Any]] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _known_metrics(self) -> "_Metrics":
        ids: list[str] = []
        expressions: list[str] = []
        for metric in self.metrics:
            *names, last = metric
            names, rendering = (names, last) if isinstance(last, dict) else (metric, {})
            found = _Rendering.model_validate(rendering)
            if found.expression and names:
                raise ValueError(f"{metric} is a metric and an expression")
            if not found.expression and (len(names) < 2 or len(names) % 2 or not all(map(_is_text, names))):
                raise ValueError(f"{metric} is not a namespace, a metric and pairs of dimension and value")
            ids += [found.id] if found.id else []
            expressions += [found.expression] if found.expression else []
        if len(set(ids)) < len(ids):
            raise ValueError(f"two of its metrics have one id: {', '.join(ids)}")
        for expression in expressions:
            if unknown := unknown_names(expression, ids):
                raise ValueError(f"the expression {expression!r} names {', '.join(unknown)}, which no metric is called")
        return self


class _Widget(_Strict):
    x: int = Field(ge=0, le=23)
    y: int = Field(ge=0)
    width: int = Field(ge=1, le=24)
    height: int = Field(ge=1, le=1000)


class _TextWidget(_Widget):
    type: Literal["text"]
    properties: _Text


class _AlarmWidget(_Widget):
    type: Literal["alarm"]
    properties: _Alarms


class _MetricWidget(_Widget):
    type: Literal["metric"]
    properties: _Metrics


class _Body(_Strict):
    widgets: list[Annotated[_TextWidget | _AlarmWidget | _MetricWidget, Field(discriminator="type")]] = Field(
        max_length=500
    )
    start: str = Field("-PT3H", pattern=_START)
    periodOverride: Literal["auto", "inherit"] = "auto"  # noqa: N815 (its name in the JSON)


def check_body(body: str) -> None:
    """Check a dashboard's body: names, types, and that widgets fit the grid and hide none of each other.

    Raises
    ------
    SandboxError
        Naming everything that is wrong with it.
    """
    try:
        read = _Body.model_validate_json(body)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
        raise SandboxError(f"the dashboard's body: {'; '.join(problems)}") from None
    if problems := list(_misplaced(read.widgets)):
        raise SandboxError(f"the dashboard's body: {'; '.join(problems)}")


def _misplaced(widgets: list[Any]) -> Iterator[str]:
    for number, widget in enumerate(widgets):
        if widget.x + widget.width > 24:
            yield f"widget {number} ends right of the grid's 24 columns"
    for (number, one), (other_number, other) in combinations(enumerate(widgets), 2):
        if _overlap(one, other):
            yield f"widgets {number} and {other_number} overlap"


def _overlap(one: _Widget, other: _Widget) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def _is_text(name: Any) -> bool:
    return isinstance(name, str) and bool(re.fullmatch(r"[^:\s].{0,1023}", name))
