"""Reading the messages of the image queue."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.functions.analyze_image.message import parse_message
from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.messages import MalformedMessageError
from tests.unit.functions.events import object_created
from tests.unit.functions.strategies import image_versions

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
IMAGE = ImageVersion("photographs", "a b+é.png", "Ns3Version", "5d41402a", "0061", 12, NOON)


@given(image=image_versions())
def test_an_event_says_which_version_of_which_object_was_created(image: ImageVersion) -> None:
    assert parse_message(json.dumps(object_created(image))) == image


@given(image=image_versions())
def test_an_event_with_characters_unescaped_says_the_same(image: ImageVersion) -> None:
    assert parse_message(json.dumps(object_created(image), ensure_ascii=False)) == image


def test_a_version_called_null_names_no_version() -> None:
    event = object_created(IMAGE)
    event["detail"]["object"]["version-id"] = "null"

    assert parse_message(json.dumps(event)).version_id is None


def test_a_field_that_aws_may_add_does_no_harm() -> None:
    event = object_created(IMAGE)
    event["detail"]["object"]["new"] = event["detail"]["new"] = event["new"] = 1

    assert parse_message(json.dumps(event)) == IMAGE


def without(*path: str) -> dict[str, Any]:
    event: dict[str, Any] = object_created(IMAGE)
    at = event
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    return event


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "body: Invalid JSON"),
        ("[]", "body: Input should be an object"),
        ('{"Event": "s3:TestEvent"}', "source: Field required"),
        (json.dumps(without("detail", "object", "key")), "detail.object.key: Field required"),
        (json.dumps(without("detail", "object", "sequencer")), "detail.object.sequencer: Field required"),
        (json.dumps(without("time")), "time: Field required"),
        (json.dumps(object_created(IMAGE) | {"time": "2026-11-22T12:00:00"}), "time: Input should have timezone info"),
        (
            json.dumps(object_created(IMAGE) | {"time": "0001-01-01T00:00:00+10:00"}),
            "time: Value error, Input should be",
        ),
        (json.dumps(object_created(replace(IMAGE, size=2**63))), "detail.object.size: Input should be less than"),
        (json.dumps(object_created(replace(IMAGE, bucket="a b"))), "detail.bucket.name: String should match pattern"),
        (json.dumps(object_created(IMAGE) | {"detail-type": "Object Deleted"}), "detail-type: Input should be"),
    ],
)
def test_a_malformed_message_is_refused_with_what_is_wrong(body: str, complaint: str) -> None:
    with pytest.raises(MalformedMessageError) as refused:
        parse_message(body)

    assert complaint in str(refused.value)


@given(body=st.text() | st.recursive(st.none() | st.text(), lambda inner: st.lists(inner)).map(json.dumps))
def test_anything_else_is_refused_and_nothing_worse(body: str) -> None:
    with pytest.raises(MalformedMessageError):
        parse_message(body)


def test_a_message_that_is_wrong_in_many_places_names_the_first_five() -> None:
    with pytest.raises(MalformedMessageError) as refused:
        parse_message(json.dumps({"source": 1, "detail": {"bucket": {}, "object": {"size": -1}}}))

    assert str(refused.value).count(": ") == 6
    assert str(refused.value).endswith("; and 3 more")
