"""The function with examples/sagemaker/model.py in the place of model.py, against a pretended SageMaker Runtime."""

import doctest
import importlib
import importlib.util
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber

from custom_labels_batch.functions import analyze_image
from sandbox.deploy import REPOSITORY
from tests.unit.functions.events import batch
from tests.unit.functions.execution_environment import forget_the_functions, set_analyze_image
from tests.unit.functions.lambda_context import Context
from tests.unit.functions.world import FINAL, SOURCE, World, png

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/surfaces"
MODULE = f"{analyze_image.__name__}.model"


class Raw(io.BytesIO):
    """What urllib3 would have received."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


@dataclass
class PretendedEndpoint:
    """Answers InvokeEndpoint: `answers` first, one a request, each a status and a body; then brick."""

    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    requests: list[AWSPreparedRequest] = field(default_factory=list)

    def answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.requests.append(request)
        found = {"labels": ["brick", "grass"], "probabilities": [0.9325, 0.0675]}
        status, body = self.answers.pop(0) if self.answers else (200, found)
        headers = HTTPHeaders()
        headers["x-amzn-ErrorType"] = str(body.get("code", ""))
        return AWSResponse(request.url, status, headers, Raw(json.dumps(body).encode()))


@dataclass
class Function:
    module: ModuleType
    endpoint: PretendedEndpoint
    hidden: dict[str, int] = field(default_factory=dict)

    def __call__(self, event: dict[str, Any]) -> list[str]:
        response = self.module.handler(event, Context())
        return sorted(item["itemIdentifier"] for item in response["batchItemFailures"])


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[], ModuleType]:
    """Puts the example's file where the archive puts it."""

    def load() -> ModuleType:
        spec = importlib.util.spec_from_file_location(MODULE, REPOSITORY / "examples" / "sagemaker" / "model.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, MODULE, module)
        monkeypatch.setattr(analyze_image, "model", module, raising=False)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def function(world: World, load: Callable[[], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    world.create_runs_table()
    set_analyze_image(monkeypatch, world, PROJECT_ARN=ARN)
    forget_the_functions()
    load()
    function = Function(importlib.import_module(f"{analyze_image.__name__}.handler"), PretendedEndpoint())
    wiring = importlib.import_module(f"{analyze_image.__name__}.wiring")
    events = wiring._detector._runtime.meta.events
    events.unregister("before-send", botocore_stubber)
    events.register("before-send.sagemaker-runtime.*", function.endpoint.answer)
    monkeypatch.setattr(wiring.queue, "hide", lambda record, left: function.hidden.update({record.message_id: left}))
    yield function
    forget_the_functions()


def test_an_image_is_labelled_by_the_endpoint_moved_and_announced(world: World, function: Function) -> None:
    image = png()

    assert function(batch([world.upload("a.png", image)])) == []

    (request,) = function.endpoint.requests
    assert request.url.endswith("/endpoints/surfaces/invocations")
    assert request.body == image
    document = world.document("images/a.png.json")
    assert document["labels"] == [{"name": "brick", "confidence": 93.25, "boundingBox": None}]
    assert document["projectVersionArn"] == ARN
    assert world.published() == [document]
    assert world.keys(SOURCE) == []


def test_an_image_that_the_container_refuses_is_rejected_in_its_words(world: World, function: Function) -> None:
    function.endpoint.answers = [
        (424, {"code": "ModelError", "Message": "cannot identify image file", "OriginalStatusCode": 400})
    ]

    assert function(batch([world.upload("a.png", b"text")])) == []

    reason = world.document("rejected/a.png.json")["reason"]
    assert reason == {"code": "ModelError", "message": "The model cannot read the image: cannot identify image file"}


def test_images_that_the_container_refuses_one_and_all_are_not_rejected_at_once(
    world: World, function: Function
) -> None:
    function.endpoint.answers = [(424, {"code": "ModelError", "Message": "no", "OriginalStatusCode": 415})] * 2

    assert function(batch([world.upload("a.png", png()), world.upload("b.png", png())])) == ["0", "1"]
    assert world.keys(FINAL) == []


def test_an_image_larger_than_a_request_is_rejected_without_one(world: World, function: Function) -> None:
    assert function(batch([world.upload("a.png", bytes(6_291_457))])) == []

    assert not function.endpoint.requests
    assert world.document("rejected/a.png.json")["reason"]["code"] == "ObjectSize"


@pytest.mark.parametrize(
    ("status", "answer", "least", "most"),
    [
        (400, {"code": "ValidationError", "Message": "Endpoint surfaces of account 1 not found."}, 180, 300),
        (424, {"code": "ModelError", "Message": "out of memory", "OriginalStatusCode": 500}, 1, 4),
        (400, {"code": "ValidationError", "Message": "Bad header."}, 45, 75),
    ],
    ids=["not up: minutes", "stumbled: seconds", "a mistake: a minute"],
)
def test_an_image_that_is_not_to_blame_comes_back(
    world: World, function: Function, status: int, answer: dict[str, Any], least: int, most: int
) -> None:
    function.endpoint.answers = [(status, answer)]

    assert function(batch([world.upload("a.png", png())])) == ["0"]
    assert least <= function.hidden["0"] <= most
    assert world.keys(SOURCE) == ["a.png"]


@pytest.mark.parametrize(("status", "code"), [(400, "ThrottlingException"), (503, "ServiceUnavailable")])
def test_a_passing_error_is_tried_again_within_the_call(
    world: World, function: Function, status: int, code: str
) -> None:
    function.endpoint.answers = [(status, {"code": code, "Message": "later"})] * 2

    assert function(batch([world.upload("a.png", png())])) == []
    assert len(function.endpoint.requests) == 3


def test_the_example_in_its_docstring_holds(load: Callable[[], ModuleType]) -> None:
    assert doctest.testmod(load()) == (0, 1)
