"""Athena's API: ministack keeps workgroups, saved queries and executions, `sandbox.athena` runs the queries."""

import asyncio
import json
import logging
import re
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from ministack.core import iam_actions
from ministack.services import athena

from sandbox.athena.engine import Answer, run
from sandbox.athena.errors import Cancelled, QueryError
from sandbox.athena.results import Row, column_info, csv
from sandbox.athena.sql import LONGEST_QUERY, bind, parse_query
from sandbox.emulator.catalog import CallersAccount
from sandbox.emulator.patching import Function, replace, require

LEAST_CUTOFF = 10_000_000
"""The smallest BytesScannedCutoffPerQuery that Athena takes (WorkGroupConfiguration in its API reference)."""

PAGE_ROWS = 1_000
"""The most rows GetQueryResults gives at once, the header among them (Athena API reference)."""

LONGEST_PARAMETER = 1_024
"""Characters of an execution parameter (Athena API reference, StartQueryExecution)."""

_workgroups = require(athena, "_workgroups")
_executions = require(athena, "_executions")
_named_queries = require(athena, "_named_queries")
_prepared_statements = require(athena, "_prepared_statements")
_answered = require(athena, "json_response")
_error = require(athena, "error_response_json")
_log = logging.getLogger("sandbox.athena")

_headers: ContextVar[Mapping[str, str]] = ContextVar("athena_headers")
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,128}")
_CONFIGURATION = {
    "AdditionalConfiguration",
    "BytesScannedCutoffPerQuery",
    "EnableMinimumEncryptionConfiguration",
    "EnforceWorkGroupConfiguration",
    "EngineVersion",
    "PublishCloudWatchMetricsEnabled",
    "RequesterPaysEnabled",
    "ResultConfiguration",
}
_ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
_RUNNING_STATES = {"QUEUED", "RUNNING"}

Document = dict[str, Any]


class InvalidRequest(Exception):  # noqa: N818 - as Athena's
    """What Athena answers with an InvalidRequestException."""

    def __init__(self, message: str, code: str = "INVALID_INPUT") -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Put the engine and the rules of workgroups in the place of ministack's own."""
    queries = _Queries()
    replace(athena, "handle_request", "method path headers body query_params", _remembering_headers)
    replace(athena, "_start_query_execution", "data", lambda _: _refusing(queries.start))
    replace(athena, "_stop_query_execution", "data", lambda _: _refusing(queries.stop))
    replace(athena, "_get_query_results", "data", lambda _: _refusing(_results))
    replace(athena, "_create_workgroup", "data", _with_workgroup_checks)
    replace(athena, "_update_workgroup", "data", _with_update_checks)
    replace(athena, "_delete_workgroup", "data", _only_if_empty)
    replace(athena, "_create_named_query", "data", _with_query_checks)
    replace(
        iam_actions,
        "extract_resource_arn",
        "service method path headers body query_params region account_id",
        _with_workgroup_of_execution,
    )


class _Queries:
    """Starts queries, runs each in a thread of its own, and ends those that must end."""

    def __init__(self) -> None:
        self._stopping: dict[str, threading.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._tokens: dict[str, tuple[Document, str]] = {}

    def start(self, data: Document) -> Any:
        workgroup = _workgroup(data.get("WorkGroup") or "primary")
        if workgroup["State"] != "ENABLED":
            raise InvalidRequest(f"WorkGroup {workgroup['Name']} is disabled.")
        text, parameters = data.get("QueryString") or "", data.get("ExecutionParameters") or []
        asked = {key: value for key, value in data.items() if key != "ClientRequestToken"}
        token = str(data.get("ClientRequestToken") or uuid4())
        if token in self._tokens:
            if self._tokens[token][0] != asked:
                raise InvalidRequest("Idempotent parameters do not match")
            return _answered({"QueryExecutionId": self._tokens[token][1]})
        account = CallersAccount(_headers.get())
        result = _writable_result(account, workgroup, data.get("ResultConfiguration") or {})
        context = data.get("QueryExecutionContext") or {}
        if context.get("Catalog", "AwsDataCatalog").lower() != "awsdatacatalog":
            raise InvalidRequest(f"Catalog {context['Catalog']} was not found")
        bound = _parse(text, parameters)
        record = _record(text, parameters, workgroup, context, result)
        _executions[record["QueryExecutionId"]] = record
        self._tokens[token] = (asked, record["QueryExecutionId"])
        self._begin(record, bound, account, workgroup["Configuration"].get("BytesScannedCutoffPerQuery"))
        return _answered({"QueryExecutionId": record["QueryExecutionId"]})

    def stop(self, data: Document) -> Any:
        record = _execution(data)
        if record["Status"]["State"] in _RUNNING_STATES:
            self._stopping[record["QueryExecutionId"]].set()
            _end(record, "CANCELLED", "Query was cancelled by user")
        return _answered({})

    def _begin(self, record: Document, sql: str, account: CallersAccount, cutoff: int | None) -> None:
        stop = self._stopping[record["QueryExecutionId"]] = threading.Event()
        task = asyncio.create_task(self._run(record, sql, account, cutoff, stop))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(
        self, record: Document, sql: str, account: CallersAccount, cutoff: int | None, stop: threading.Event
    ) -> None:
        record["Status"]["State"] = "RUNNING"
        began = time.monotonic()
        database = record["QueryExecutionContext"].get("Database", "")
        try:
            # The request's account, region and signature go along into the thread.
            answer = await asyncio.to_thread(run, sql, account, database, cutoff, stop)
            failure = self._write(record, account, answer)
            record["_answer"] = answer
            record["Statistics"]["DataScannedInBytes"] = answer.scanned_bytes
            _end(record, "FAILED" if failure else "SUCCEEDED", failure)
        except QueryError as error:
            _end(record, "FAILED", str(error))
        except Cancelled as error:
            _end(record, "CANCELLED", str(error))
        except Exception as error:
            _log.exception("query %s", record["QueryExecutionId"])
            _end(record, "FAILED", f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}")
        finally:
            del self._stopping[record["QueryExecutionId"]]
            milliseconds = int((time.monotonic() - began) * 1000)
            record["Statistics"].update(
                EngineExecutionTimeInMillis=milliseconds, TotalExecutionTimeInMillis=milliseconds
            )

    def _write(self, record: Document, account: CallersAccount, answer: Answer) -> str | None:
        """The result's file and its metadata; why they could not be written, or None."""
        if record["Status"]["State"] != "RUNNING":
            return None
        result = record["ResultConfiguration"]
        encryption = (result.get("EncryptionConfiguration") or {}).get("EncryptionOption")
        headers = {"x-amz-server-side-encryption": "AES256"} if encryption == "SSE_S3" else {}
        failure = account.write(
            result["OutputLocation"], csv(answer.columns, answer.rows), {**headers, "content-type": "text/csv"}
        )
        # Athena's own metadata is binary and undocumented.
        metadata = json.dumps(column_info(answer.columns)).encode()
        return failure or account.write(
            f"{result['OutputLocation']}.metadata", metadata, {**headers, "content-type": "binary/octet-stream"}
        )


def _remembering_headers(original: Function) -> Function:
    async def handle(method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Any) -> Any:
        _headers.set(headers)
        return await original(method, path, headers, body, query_params)

    return handle


def _refusing(handle: Function) -> Function:
    def answer(data: Document) -> Any:
        try:
            return handle(data)
        except InvalidRequest as error:
            return _error("InvalidRequestException", str(error), 400, extra={"AthenaErrorCode": error.code})

    return answer


def _parse(text: str, parameters: list[str]) -> str:
    """The query with its parameters, if Athena would start it."""
    if not text:
        raise InvalidRequest("queryString must not be empty")
    if any(not 1 <= len(parameter) <= LONGEST_PARAMETER for parameter in parameters):
        raise InvalidRequest(f"executionParameters must have 1 to {LONGEST_PARAMETER} characters")
    try:
        bound = bind(text, parameters)
        parse_query(bound)
    except QueryError as error:
        raise InvalidRequest(error.message, error.code) from None
    return bound


def _workgroup(name: str) -> Document:
    found: Document | None = _workgroups.get(name)
    if found is None:
        raise InvalidRequest(f"WorkGroup {name} is not found.", "WORKGROUP_NOT_FOUND")
    return found


def _execution(data: Document) -> Document:
    found: Document | None = _executions.get(data.get("QueryExecutionId"))
    if found is None:
        raise InvalidRequest(f"QueryExecution {data.get('QueryExecutionId')} was not found")
    return found


def _writable_result(account: CallersAccount, workgroup: Document, asked: Document) -> Document:
    result = _result_configuration(workgroup, asked)
    refusal = account.refusal_of_results(result["OutputLocation"])
    if refusal:
        raise InvalidRequest(refusal)
    return result


def _result_configuration(workgroup: Document, asked: Document) -> Document:
    """Where and how to write: the workgroup's way where it is enforced, or else the client's before it."""
    own = workgroup["Configuration"].get("ResultConfiguration") or {}
    enforced = workgroup["Configuration"].get("EnforceWorkGroupConfiguration", False)
    chosen = dict(own if enforced else {**own, **asked})
    if not chosen.get("OutputLocation"):
        raise InvalidRequest(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    _check_location(chosen["OutputLocation"])
    return chosen


def _check_location(location: str) -> None:
    if not re.fullmatch(r"s3://[a-z0-9.-]{3,63}(/.*)?", location):
        raise InvalidRequest(f"outputLocation is not a valid S3 path: {location}")


def _record(text: str, parameters: list[str], workgroup: Document, context: Document, result: Document) -> Document:
    number = str(uuid4())
    location = f"{result['OutputLocation'].rstrip('/')}/{number}.csv"
    return {
        "QueryExecutionId": number,
        "Query": text,
        **({"ExecutionParameters": parameters} if parameters else {}),
        "StatementType": "DML",
        "SubstatementType": "SELECT",
        "ResultConfiguration": {**result, "OutputLocation": location},
        "QueryExecutionContext": {key: value.lower() for key, value in context.items()},
        "Status": {"State": "QUEUED", "SubmissionDateTime": time.time()},
        "Statistics": {
            "DataScannedInBytes": 0,
            "EngineExecutionTimeInMillis": 0,
            "QueryQueueTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
            "TotalExecutionTimeInMillis": 0,
        },
        "WorkGroup": workgroup["Name"],
        "EngineVersion": _ENGINE,
    }


def _end(record: Document, state: str, reason: str | None = None) -> None:
    """Write the end of a query, unless it has ended already."""
    status = record["Status"]
    if status["State"] not in _RUNNING_STATES:
        return
    status.update(State=state, CompletionDateTime=time.time())
    if reason:
        status["StateChangeReason"] = reason
    if state == "FAILED":
        # Category 2 is the user's own fault (AthenaError in the API reference).
        status["AthenaError"] = {"ErrorCategory": 2, "ErrorMessage": reason, "Retryable": False}


def _results(data: Document) -> Any:
    record = _execution(data)
    state = record["Status"]["State"]
    if state in _RUNNING_STATES:
        raise InvalidRequest(f"Query has not yet finished. Current state: {state}", "INVALID_QUERY_EXECUTION_STATE")
    if state != "SUCCEEDED":
        raise InvalidRequest(
            f"Query did not finish successfully. Final query state: {state}", "INVALID_QUERY_EXECUTION_STATE"
        )
    size = data.get("MaxResults") or PAGE_ROWS
    if not 1 <= size <= PAGE_ROWS:
        raise InvalidRequest(f"MaxResults is more than maximum allowed length {PAGE_ROWS}.")
    token = str(data.get("NextToken") or "0")
    if not token.isdigit():
        raise InvalidRequest("Invalid NextToken")
    answer: Answer = record["_answer"]
    rows: list[Row] = [[name for name, _ in answer.columns], *answer.rows]
    first = int(token)
    page = [
        {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
        for row in rows[first : first + size]
    ]
    more = {"NextToken": str(first + size)} if first + size < len(rows) else {}
    metadata = {"ColumnInfo": column_info(answer.columns)}
    return _answered({"UpdateCount": 0, "ResultSet": {"Rows": page, "ResultSetMetadata": metadata}, **more})


def _check_configuration(configuration: Document) -> None:
    unknown = set(configuration) - _CONFIGURATION
    if unknown:
        raise InvalidRequest(f"the sandbox's Athena does nothing with {', '.join(sorted(unknown))} of a workgroup")
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff < LEAST_CUTOFF:
        raise InvalidRequest(f"BytesScannedCutoffPerQuery must be at least {LEAST_CUTOFF}: {cutoff}")
    result = configuration.get("ResultConfiguration") or {}
    if "OutputLocation" in result:
        _check_location(result["OutputLocation"])


def _with_workgroup_checks(original: Function) -> Function:
    def create(data: Document) -> Any:
        if not _NAME.fullmatch(data.get("Name") or ""):
            raise InvalidRequest(f"Invalid workgroup name: {data.get('Name')}")
        # Enforced, with metrics, unless it is said otherwise (WorkGroupConfiguration in the API reference).
        configuration = {
            "EnforceWorkGroupConfiguration": True,
            "PublishCloudWatchMetricsEnabled": True,
            "RequesterPaysEnabled": False,
            **(data.get("Configuration") or {}),
        }
        _check_configuration(configuration)
        configuration["EngineVersion"] = _ENGINE
        return original({**data, "Configuration": configuration})

    return _refusing(create)


def _with_update_checks(original: Function) -> Function:
    def update(data: Document) -> Any:
        workgroup = _workgroup(data.get("WorkGroup") or "")
        changes = data.get("ConfigurationUpdates") or {}
        cutoff = changes.get("BytesScannedCutoffPerQuery")
        _check_configuration({} if cutoff is None else {"BytesScannedCutoffPerQuery": cutoff})
        location = (changes.get("ResultConfigurationUpdates") or {}).get("OutputLocation")
        if location:
            _check_location(location)
        answer = original(data)
        if changes.get("RemoveBytesScannedCutoffPerQuery"):
            workgroup["Configuration"].pop("BytesScannedCutoffPerQuery", None)
        return answer

    return _refusing(update)


def _only_if_empty(original: Function) -> Function:
    """A workgroup with saved queries or a history goes only with all of that."""

    def delete(data: Document) -> Any:
        name = _workgroup(data.get("WorkGroup") or "")["Name"]
        stores = (_named_queries, _executions)
        inside = [(store, key) for store in stores for key, item in list(store.items()) if item["WorkGroup"] == name]
        prepared = [key for key in list(_prepared_statements) if key.startswith(f"{name}/")]
        if (inside or prepared) and not data.get("RecursiveDeleteOption"):
            raise InvalidRequest(f"WorkGroup {name} is not empty")
        if name != "primary":
            for store, key in [*inside, *((_prepared_statements, key) for key in prepared)]:
                store.pop(key, None)
        return original(data)

    return _refusing(delete)


def _with_query_checks(original: Function) -> Function:
    def create(data: Document) -> Any:
        _workgroup(data.get("WorkGroup") or "primary")
        for key, longest in (("Name", 128), ("Database", 255), ("QueryString", LONGEST_QUERY)):
            if not 1 <= len(str(data.get(key) or "").encode()) <= longest:
                raise InvalidRequest(f"{key} must have 1 to {longest} bytes")
        if len(data.get("Description") or "") > 1024:
            raise InvalidRequest("Description must have at most 1024 characters")
        return original(data)

    return _refusing(create)


def _with_workgroup_of_execution(original: Function) -> Function:
    """Actions on an execution or a saved query are authorised on its workgroup."""

    def extract(
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> str:
        if service == "athena":
            workgroup = _workgroup_of(body)
            if workgroup:
                return f"arn:aws:athena:{region}:{account_id}:workgroup/{workgroup}"
        return str(original(service, method, path, headers, body, query_params, region, account_id))

    return extract


def _workgroup_of(body: bytes) -> str | None:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return None
    for key, store in (("QueryExecutionId", _executions), ("NamedQueryId", _named_queries)):
        if isinstance(request, dict) and request.get(key) in store:
            return str(store[request[key]]["WorkGroup"])
    return None
