"""The processes that Lambda functions run in: whose call a request is, and their sudden end."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from threading import Lock
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

from sandbox.api_calls import ApiCall
from sandbox.emulator.access import session_of_service
from sandbox.emulator.patching import Function, replace, require
from sandbox.fault_rules import CallFault, CallFaults
from sandbox.settings import ACCOUNT_ID

_sessions = require(sts, "_sessions")
_Worker = require(lambda_runtime, "Worker")

_ROOT_ARN = f"arn:aws:iam::{ACCOUNT_ID}:root"
_MAPPINGS = "lambda.amazonaws.com"
"""Who invokes a function for an event source mapping."""

Document = dict[str, Any]

_spawned: ContextVar[Any] = ContextVar("spawned", default=None)


class Workers:
    """Every worker process by the credentials it was given: as on AWS, each has its own."""

    def __init__(self) -> None:
        self._by_access_key: dict[str, Any] = {}
        self._lock = Lock()

    def install(self, faults: Callable[[], CallFaults]) -> None:
        """Give each worker its own credentials, and let invocations go wrong as the rules say."""
        replace(_Worker, "_spawn", "self", self._noting_whose)
        replace(lambda_runtime, "execution_credentials", "config", self._giving_its_own)
        replace(
            lambda_svc,
            "_execute_function_warm",
            "func event request_id",
            lambda original: _going_wrong(original, faults),
        )

    def has(self, access_key: str) -> bool:
        """Whether a worker signed with this key."""
        return access_key in self._by_access_key

    def kill(self, access_key: str) -> None:
        """End a worker at once, as when it runs out of memory: what it was doing stays half done."""
        process = require(self._by_access_key[access_key], "_proc")
        if process is not None:
            process.kill()

    def _noting_whose(self, original: Function) -> Function:
        def spawn(worker: Any) -> None:
            token = _spawned.set(worker)
            try:
                original(worker)
            finally:
                _spawned.reset(token)

        return spawn

    def _giving_its_own(self, original: Function) -> Function:
        def credentials(config: Document) -> dict[str, str]:
            worker = _spawned.get()
            if worker is None:
                return dict(original(config))
            key, secret, token = session_of_service(config["Role"], config["FunctionName"][:64])
            with self._lock:
                others = {known: of for known, of in self._by_access_key.items() if of is not worker}
                self._by_access_key = {**others, key: worker}
            return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}

        return credentials


def caller_arn(access_key: str) -> str:
    """Who signs with a key, as CloudTrail names them; who has no session is the account's root."""
    session = _sessions.get(access_key)
    return str(session["Arn"]) if session else _ROOT_ARN


def _going_wrong(original: Function, faults: Callable[[], CallFaults]) -> Function:
    """Let a rule happen to an invocation, whoever invokes.

    A function that was killed, and one whose answer was lost, look alike to a mapping: the batch comes again.
    """

    def execute(func: Document, event: Any, request_id: str) -> Any:
        config = func.get("config") or func
        call = ApiCall("lambda", "Invoke", "", f"{config.get('FunctionArn', '')}\n{event}", "POST")
        fault = faults().pick(call, _MAPPINGS, can_kill=True)
        if fault is None:
            return original(func, event, request_id)
        if fault.do == "delay":
            return _late(fault, lambda: original(func, event, request_id))
        answer = original(func, event, request_id) if fault.when == "after" else {}
        killed = fault.do == "kill"
        error_type = "Runtime.ExitError" if killed else fault.code
        message = f"RequestId: {request_id} Error: Runtime exited" if killed else fault.message
        body = {"errorType": error_type, "errorMessage": message}
        return {**answer, "error": True, "body": body, "log": answer.get("log", "")}

    return execute


def _late(fault: CallFault, call: Callable[[], Any]) -> Any:
    if fault.when == "before":
        time.sleep(fault.seconds or 0)
    answer = call()
    if fault.when == "after":
        time.sleep(fault.seconds or 0)
    return answer
