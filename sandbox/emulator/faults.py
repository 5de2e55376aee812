"""Between the port and the emulator: calls that go wrong because somebody asked for it."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from sandbox.api_calls import error_answer, read_call
from sandbox.emulator.workers import Workers, caller_arn
from sandbox.fault_rules import CallFault, CallFaults

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class FaultyCalls:
    """An ASGI application that passes requests on to the emulator, but for what the rules say.

    Attributes
    ----------
    rules
        In force from the next request on.
    """

    def __init__(self, emulator: Application, workers: Workers) -> None:
        self._emulator, self._workers = emulator, workers
        self.rules = CallFaults([])

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if not self.rules:
            await self._emulator(scope, receive, send)
            return
        body = await read_body(receive)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        call = read_call(scope["method"], scope["path"], headers, query, body)
        fault = None
        # Invocations are looked at where functions are called, whoever calls.
        if call is not None and (call.service, call.operation) != ("lambda", "Invoke"):
            fault = self.rules.pick(call, caller_arn(call.access_key), self._workers.has(call.access_key))
        again = _body_once(body, receive)
        if call is None or fault is None:
            await self._emulator(scope, again, send)
        elif fault.do == "delay":
            await self._late(fault, scope, again, send)
        else:
            if fault.when == "after":
                await self._emulator(scope, again, _into([]))
            if fault.do == "kill":
                self._workers.kill(call.access_key)
            await _answer(send, *error_answer(call, fault.code, fault.message, fault.status))

    async def _late(self, fault: CallFault, scope: Message, receive: Receive, send: Send) -> None:
        if fault.when == "before":
            await asyncio.sleep(fault.seconds or 0)
        answer: list[Message] = []
        await self._emulator(scope, receive, _into(answer))
        if fault.when == "after":
            await asyncio.sleep(fault.seconds or 0)
        for message in answer:
            await send(message)


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _body_once(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then whatever comes after it."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _into(messages: list[Message]) -> Send:
    async def send(message: Message) -> None:
        messages.append(message)

    return send


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    lines.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
