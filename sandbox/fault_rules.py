"""Calls that a person or a test lets go wrong: which ones, when, and how. `calls` in `POST /_sandbox/faults`."""

import random
import threading
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from sandbox.api_calls import KNOWN_SERVICES, ApiCall, service_model

_LONGEST_DELAY_SECONDS = 600

Text = Annotated[str, Field(min_length=1)]


class CallFault(BaseModel):
    """One rule: the calls it is about, and what becomes of them.

    Attributes
    ----------
    service, operation
        The boto3 name of the service, such as `s3`, and one of its API's operations, such as `CopyObject`; without
        an operation, all of them. An `Invoke` of `lambda` is also what an event source mapping does.
    caller
        Part of the caller's ARN, as CloudTrail shows it: the name of a role or a function.
    contains
        Part of the request: of its path, its query or its body; of a mapping's Invoke, of the function's ARN or the
        event.
    when
        `before`: it happens instead of the call (a delay: and then the call). `after`: the call is done, and its
        answer is lost (a delay: late).
    do
        `error` answers with `code`, `message` and the HTTP `status`; `kill` ends the process of the Lambda function
        that calls (of an Invoke: that is called), and is about no other call; `delay` waits.
    seconds
        Of a delay: real seconds, as functions run in real time.
    share
        Of the calls it is about, drawn for each.
    skip, times
        Calls that it lets pass first, and how often it happens; without `times`, until it is taken away.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, strict=True)

    service: Text
    operation: Text | None = None
    caller: Text | None = None
    contains: Text | None = None
    when: Literal["before", "after"] = "before"
    do: Literal["error", "kill", "delay"]
    code: Text = "InternalFailure"
    message: str = "The sandbox was told to answer with this error."
    status: int = Field(default=500, ge=400, le=599)
    seconds: float | None = Field(default=None, gt=0, le=_LONGEST_DELAY_SECONDS)
    share: float = Field(default=1.0, gt=0, le=1)
    skip: int = Field(default=0, ge=0)
    times: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _fits_together(self) -> "CallFault":
        if self.service not in KNOWN_SERVICES:
            raise ValueError(_not_one_of("service", self.service, KNOWN_SERVICES))
        operations = service_model(self.service).operation_names
        if self.operation is not None and self.operation not in operations:
            close = get_close_matches(self.operation, operations, n=5) or operations[:5]
            raise ValueError(_not_one_of("operation", self.operation, (*close, f"... ({len(operations)} in all)")))
        if (self.do == "delay") != (self.seconds is not None):
            raise ValueError("a delay, and nothing else, needs seconds: a number above 0, of real seconds")
        given = {"code", "message", "status"} & self.model_fields_set
        if given and self.do != "error":
            raise ValueError(f"{', '.join(sorted(given))}: only an error has them, and do is {self.do!r}")
        return self

    def is_about(self, call: ApiCall, caller_arn: str) -> bool:
        """Whether a call is one of those the rule names; its share and its counts are not looked at."""
        return (
            call.service == self.service
            and self.operation in (None, call.operation)
            and (self.caller is None or self.caller in caller_arn)
            and (self.contains is None or self.contains in call.text)
        )


class _Counted:
    """A rule with what it has met so far."""

    def __init__(self, fault: CallFault) -> None:
        self.fault = fault
        self.met = self.happened = 0
        self._dice = random.Random(1)  # noqa: S311 - a test's dice, thrown alike in every run

    def happens(self) -> bool:
        fault = self.fault
        self.met += 1
        if self.met <= fault.skip or (fault.times is not None and self.happened >= fault.times):
            return False
        if fault.share < 1 and self._dice.random() >= fault.share:
            return False
        self.happened += 1
        return True


class CallFaults:
    """The rules in force. Safe to ask from many threads."""

    def __init__(self, faults: list[CallFault]) -> None:
        self._rules = [_Counted(fault) for fault in faults]
        self._lock = threading.Lock()

    @classmethod
    def from_json(cls, documents: Any) -> "CallFaults":
        """Read a list of rules; a wrong one raises ValueError, which names the value and what is allowed."""
        if not isinstance(documents, list):
            raise ValueError(f"calls is {documents!r}; allowed is a list of rules")
        return cls([_read(number, document) for number, document in enumerate(documents)])

    def __bool__(self) -> bool:
        return bool(self._rules)

    def pick(self, call: ApiCall, caller_arn: str, can_kill: bool) -> CallFault | None:
        """The first rule that happens to this call, or None.

        Parameters
        ----------
        can_kill
            Whether a function's process calls, or is called.
        """
        with self._lock:
            for rule in self._rules:
                is_about = rule.fault.is_about(call, caller_arn) and (can_kill or rule.fault.do != "kill")
                if is_about and rule.happens():
                    return rule.fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """Each rule as it was given, with how many calls it is about were met, and to how many it happened."""
        with self._lock:
            return [
                {
                    **rule.fault.model_dump(by_alias=True, exclude_unset=True),
                    "met": rule.met,
                    "happened": rule.happened,
                }
                for rule in self._rules
            ]


def _read(number: int, document: Any) -> CallFault:
    try:
        return CallFault.model_validate(document)
    except ValidationError as error:
        raise ValueError("; ".join(_problem(f"calls[{number}]", dict(each)) for each in error.errors())) from None


def _problem(where: str, error: dict[str, Any]) -> str:
    place = ".".join([where, *map(str, error["loc"])])
    match error["type"]:
        case "extra_forbidden":
            known = ", ".join(to_camel(name) for name in CallFault.model_fields)
            return f"{place}: there is no such name; allowed are {known}"
        case "missing":
            return f"{place} is missing"
        case "value_error":
            return f"{place}: {error['ctx']['error']}"
    said = error["msg"][0].lower() + error["msg"][1:]
    return f"{place} is {error['input']!r}: {said}"


def _not_one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    return f"{name} is {value!r}; allowed are {', '.join(allowed)}"
