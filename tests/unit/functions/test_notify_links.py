"""Links to the image in the final bucket, and how long they work."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest

from custom_labels_batch.components import notification
from custom_labels_batch.functions.notify_labels import environment, links
from custom_labels_batch.functions.notify_labels.alert import Alert, Link
from custom_labels_batch.functions.notify_labels.links import LONGEST_SESSION, SIGNING, Links, warning
from custom_labels_batch.functions.shared.prediction import Label
from custom_labels_batch.rules import limits
from tests.unit.functions.alerts import alert, image
from tests.unit.functions.predictions import NOON, prediction


@pytest.fixture(autouse=True)
def _session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of the role")


def linked(told: Alert, minutes: int = 60, region: str = "eu-west-1", now: datetime = NOON) -> Link | None:
    s3 = boto3.client("s3", region, config=SIGNING)
    return Links(s3, minutes, session_start=NOON, clock=lambda: now).add(told).link


def told(key: str = "roof.jpg", bucket: str = "final", shelf: str = "images", version: str | None = "v1") -> Alert:
    found = prediction(image(key), Label(name="crack", confidence=90))
    places = {"final_uri": f"s3://{bucket}/{shelf}/{key}", "final_version_id": version}
    return alert(found.model_copy(update=places))


def query(link: Link | None) -> dict[str, str]:
    assert link
    return {name: values[0] for name, values in parse_qs(urlsplit(link.url).query).items()}


class TestALink:
    def test_gets_exactly_the_copy_that_was_labelled(self) -> None:
        link = linked(told("a b/é+#?%.jpg", version="3sL4/kq+"))

        assert link
        assert unquote(urlsplit(link.url).path) == "/images/a b/é+#?%.jpg"
        assert query(link)["versionId"] == "3sL4/kq+"

    def test_names_no_version_where_none_is_known(self) -> None:
        assert "versionId" not in query(linked(told(version=None)))

    @pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
    @pytest.mark.parametrize(
        ("bucket", "host"),
        [("acme-final", "acme-final.s3.{}.amazonaws.com"), ("acme.final", "s3.{}.amazonaws.com")],
    )
    def test_is_for_the_endpoint_of_the_region(self, region: str, bucket: str, host: str) -> None:
        """A bucket with dots in its name has no certificate of its own, so it is in the path."""
        link = linked(told(bucket=bucket), region=region)

        assert link
        assert urlsplit(link.url).scheme == "https"
        assert urlsplit(link.url).netloc == host.format(region)
        assert query(link)["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
        assert query(link)["X-Amz-Security-Token"] == "of the role"

    def test_works_as_long_as_was_asked(self) -> None:
        link = linked(told(), minutes=90, now=NOON + timedelta(hours=1))

        assert link
        assert link.until == NOON + timedelta(minutes=150)
        assert query(link)["X-Amz-Expires"] == "5400"

    def test_is_not_said_to_outlive_the_session_that_signed_it(self) -> None:
        link = linked(told(), minutes=120, now=NOON + timedelta(hours=11))

        assert link
        assert link.until == NOON + LONGEST_SESSION

    def test_is_not_given_unless_asked_for(self) -> None:
        assert linked(told(), minutes=0) is None

    def test_is_not_given_for_an_image_the_role_may_not_read(self) -> None:
        assert linked(told(shelf="superseded")) is None


class TestAWarning:
    @pytest.mark.parametrize("minutes", [0, 60, 720])
    def test_is_not_due_while_the_session_may_last(self, minutes: int) -> None:
        assert warning(minutes) is None

    def test_is_due_where_the_session_ends_first(self) -> None:
        assert warning(721) == (
            "Links are to work for 721 minutes, but a link ends with the credentials that signed it, and those of a "
            "Lambda function last at most 720 minutes"
        )

    @pytest.mark.parametrize("minutes", [0, 720, 721, 10_080])
    def test_is_the_same_when_the_stack_is_deployed(self, minutes: int) -> None:
        assert notification.link_warning(minutes) == links.warning(minutes)


def test_the_component_and_the_function_know_the_same_limits() -> None:
    """Twice there, since neither may import the other."""
    assert limits.PRESIGNED_URL_MINUTES.most == environment.MAX_LINK_MINUTES
    assert timedelta(minutes=notification.MAX_SESSION_MINUTES) == LONGEST_SESSION
