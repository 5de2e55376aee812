"""What becomes of one image."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from custom_labels_batch.functions.analyze_image import final_bucket
from custom_labels_batch.functions.analyze_image.analysis import Done, Doubt, Outcome
from custom_labels_batch.functions.analyze_image.final_bucket import UnreadableMarkError
from custom_labels_batch.functions.analyze_image.labels import Thresholds
from custom_labels_batch.functions.shared.prediction import Reason
from tests.unit.functions.world import FINAL, SOURCE, VERSION_ARN, RefusalError, World, png


class TestAnImageThatCanBeLabelled:
    def test_is_moved_with_its_labels_to_the_final_bucket(self, world: World) -> None:
        image = world.upload("yard/wall.png", png("brick"))

        done = world.analysis().analyze(image)

        assert isinstance(done, Done)
        assert done.outcome is Outcome.LABELLED
        assert world.final("images/yard/wall.png") == png("brick")
        assert world.document("images/yard/wall.png.json")["labels"] == [
            {"name": "brick", "confidence": 93.25, "boundingBox": None}
        ]
        assert world.versions(SOURCE) == []

    def test_is_described_in_full_by_its_document(self, world: World) -> None:
        image = world.upload("wall.png", png())

        world.analysis().analyze(image)

        assert world.document("images/wall.png.json") == {
            "imageId": image.image_id,
            "status": "labelled",
            "sourceBucket": SOURCE,
            "imageKey": "wall.png",
            "sourceUri": f"s3://{SOURCE}/wall.png",
            "finalUri": f"s3://{FINAL}/images/wall.png",
            "finalVersionId": world.s3.head_object(Bucket=FINAL, Key="images/wall.png")["VersionId"],
            "versionId": image.version_id,
            "eTag": image.etag,
            "sequencer": image.sequencer,
            "size": len(png()),
            "projectVersionArn": VERSION_ARN,
            "uploadedAt": "2026-11-22T12:00:00.000Z",
            "processedAt": "2026-11-22T12:00:00.000Z",
            "labels": [{"name": "brick", "confidence": 93.25, "boundingBox": None}],
            "reason": None,
        }

    def test_is_announced_with_the_same_document(self, world: World) -> None:
        image = world.upload("wall.png", png())

        world.analysis().analyze(image)

        assert world.published() == [world.document("images/wall.png.json")]

    def test_keeps_its_content_type_and_metadata(self, world: World) -> None:
        image = world.upload("wall.png", png(), content_type="image/x-yard")

        world.analysis().analyze(image)

        assert world.s3.head_object(Bucket=FINAL, Key="images/wall.png")["ContentType"] == "image/x-yard"

    def test_leaves_its_tags_behind_since_copying_them_takes_rights_on_tags(self, world: World) -> None:
        image = world.upload("wall.png", png())
        world.s3.put_object_tagging(
            Bucket=SOURCE, Key="wall.png", Tagging={"TagSet": [{"Key": "site", "Value": "yard"}]}
        )

        world.analysis().analyze(image)

        assert world.s3.get_object_tagging(Bucket=FINAL, Key="images/wall.png")["TagSet"] == []

    def test_leaves_its_annotations_behind_for_the_same_reason(self, world: World) -> None:
        image = world.upload("wall.png", png())
        directives: list[bytes] = []
        world.s3.meta.events.register(
            "before-send.s3.CopyObject",
            lambda request, **_: directives.append(request.headers["x-amz-object-annotation-directive"]),
        )

        world.analysis().analyze(image)

        assert directives == [b"EXCLUDE"]

    def test_is_labelled_even_if_no_label_reaches_its_threshold(self, world: World) -> None:
        image = world.upload("wall.png", png())

        world.analysis(thresholds=Thresholds(95)).analyze(image)

        assert world.document("images/wall.png.json")["status"] == "labelled"
        assert world.document("images/wall.png.json")["labels"] == []

    @pytest.mark.parametrize("key", ["a b+c%20é 🧱.JPG", "yard/../b.png", " .png", "a//b.png", "a\u0001\ufffe.png"])
    def test_may_have_any_key(self, world: World, key: str) -> None:
        image = world.upload(key, png())

        world.analysis().analyze(image)

        assert world.final(f"images/{key}") == png()
        assert [message["imageKey"] for message in world.published()] == [key]

    def test_with_a_key_too_long_for_its_document_is_kept_under_its_id(self, world: World) -> None:
        key = "é" * 505 + ".png"
        image = world.upload(key, png())

        world.analysis().analyze(image)

        assert world.final(f"images/long-keys/{image.image_id}.png") == png()
        assert world.document(f"images/long-keys/{image.image_id}.png.json")["imageKey"] == key

    def test_delivered_again_is_only_deleted(self, world: World) -> None:
        image = world.upload("wall.png", png())
        world.analysis().analyze(image)
        asked, announced = len(world.rekognition.requests), len(world.published())

        done = world.analysis().analyze(image)

        assert done == Done(Outcome.ALREADY_DONE)
        assert (asked, announced) == (1, 1)
        assert len(world.rekognition.requests) == 1
        assert world.published() == []


class TestAnImageThatCanNeverBeLabelled:
    def test_is_moved_aside_with_the_reason_and_announced(self, world: World) -> None:
        image = world.upload("tiny.png", png(width=32, height=32))

        done = world.analysis().analyze(image)

        assert isinstance(done, Done)
        assert done.outcome is Outcome.REJECTED
        assert world.final("rejected/tiny.png") == png(width=32, height=32)
        document = world.document("rejected/tiny.png.json")
        assert (document["status"], document["labels"]) == ("rejected", [])
        assert document["finalUri"] == f"s3://{FINAL}/rejected/tiny.png"
        assert document["reason"] == {
            "code": "ImageTooSmall",
            "message": "32 x 32 pixels; at least 64 x 64 are needed",
        }
        assert world.published() == [document]
        assert world.versions(SOURCE) == []

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (png(width=5000, height=300), "5000 x 300 pixels; at most 4096 x 4096 are allowed"),
            (b"a shopping list", "neither a PNG nor a JPEG file; only PNG and JPEG are read"),
            (b"GIF89a...", "a GIF image; only PNG and JPEG are read"),
            (png()[:20], "a broken PNG file: its dimensions cannot be read"),
        ],
    )
    def test_is_rejected_for_what_its_file_shows(self, world: World, data: bytes, message: str) -> None:
        image = world.upload("a.png", data)

        world.analysis().analyze(image)

        assert world.document("rejected/a.png.json")["reason"]["message"] == message

    @pytest.mark.parametrize(
        ("size", "message"),
        [
            (0, "the file is empty"),
            (15 * 1024**2 + 1, "15,728,641 bytes; at most 15,728,640 bytes (15 MB) are allowed"),
        ],
    )
    def test_is_rejected_for_its_size_without_a_call(self, world: World, size: int, message: str) -> None:
        image = world.upload("a.png", bytes(size))

        world.analysis().analyze(image)

        assert world.document("rejected/a.png.json")["reason"]["message"] == message
        assert world.rekognition.requests == []

    def test_is_left_to_rekognition_at_exactly_the_greatest_size(self, world: World) -> None:
        data = png() + bytes(15 * 1024**2 - len(png()))
        image = world.upload("a.png", data)

        world.analysis().analyze(image)

        assert len(world.rekognition.requests) == 1

    def test_shows_its_header_however_late_it_comes_in_the_file(self, world: World) -> None:
        comments = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
        frame = b"\xff\xc0\x00\x11\x08" + bytes.fromhex("0020 0030")  # 32 high, 48 wide
        image = world.upload("a.jpg", b"\xff\xd8" + comments * 6 + frame)

        world.analysis().analyze(image)

        reason = world.document("rejected/a.jpg.json")["reason"]
        assert reason["message"] == "48 x 32 pixels; at least 64 x 64 are needed"

    def test_delivered_again_is_only_deleted(self, world: World) -> None:
        image = world.upload("tiny.png", png(width=32, height=32))
        world.analysis().analyze(image)

        assert world.analysis().analyze(image) == Done(Outcome.ALREADY_DONE)

    def test_uploaded_anew_and_whole_is_another_image(self, world: World) -> None:
        world.analysis().analyze(world.upload("a.png", png(width=32)))

        world.analysis().analyze(world.upload("a.png", png()))

        assert world.final("images/a.png") == png()

    def test_larger_than_one_copy_call_takes_is_copied_in_parts(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(final_bucket, "_LARGEST_SINGLE_COPY", 1024**2)
        image = world.upload("a.png", bytes(16 * 1024**2))
        wire = Calls(world.s3)

        world.analysis().analyze(image)

        assert "UploadPartCopy" in wire.names
        assert world.final("rejected/a.png") == bytes(16 * 1024**2)
        version = world.s3.head_object(Bucket=FINAL, Key="rejected/a.png")["VersionId"]
        assert world.document("rejected/a.png.json")["finalVersionId"] == version


class TestAnImageInWhichWeSeeNothingWrong:
    @pytest.mark.parametrize("code", ["InvalidImageFormatException", "ImageTooLargeException"])
    def test_is_doubted_when_rekognition_refuses_it(self, world: World, code: str) -> None:
        image = world.upload("a.png", png())
        world.rekognition.refusals = [RefusalError(code, "No.")]

        doubt = world.analysis().analyze(image)

        assert isinstance(doubt, Doubt)
        assert doubt.finding.reason == Reason(code=code, message="Rekognition cannot read the image: No.")
        assert world.keys(FINAL) == []
        assert world.keys(SOURCE) == ["a.png"]

    def test_is_rejected_once_rekognition_is_believed(self, world: World) -> None:
        image = world.upload("a.png", png())
        world.rekognition.refusals = [RefusalError("InvalidImageFormatException", "No.")]
        doubt = world.analysis().analyze(image)
        assert isinstance(doubt, Doubt)

        done = world.analysis().reject(doubt)

        assert done.outcome is Outcome.REJECTED
        assert world.document("rejected/a.png.json")["projectVersionArn"] == VERSION_ARN

    def test_is_not_to_blame_for_a_wrong_parameter(self, world: World) -> None:
        image = world.upload("a.png", png())
        world.rekognition.refusals = [RefusalError("InvalidParameterException")]

        with pytest.raises(ClientError, match="InvalidParameterException"):
            world.analysis().analyze(image)

        assert world.keys(SOURCE) == ["a.png"]

    def test_is_not_to_blame_if_rekognition_cannot_get_at_it(self, world: World) -> None:
        image = world.upload("a.png", png())
        world.rekognition.refusals = [RefusalError("InvalidS3ObjectException")]

        with pytest.raises(ClientError, match="InvalidS3ObjectException"):
            world.analysis().analyze(image)

        assert world.keys(FINAL) == []

    def test_is_not_to_blame_if_we_may_not_look_at_it(self, world: World) -> None:
        image = world.upload("a.png", png())
        world.rekognition.refusals = [RefusalError("InvalidS3ObjectException")]
        forbid(world.s3, "HeadObject")

        with pytest.raises(ClientError, match="403"):
            world.analysis().analyze(image)

        assert world.keys(SOURCE) == ["a.png"]


class TestAnImageThatIsGone:
    def test_before_it_was_looked_at_is_dropped(self, world: World) -> None:
        image = world.upload("a.png", png())
        world.s3.delete_object(Bucket=SOURCE, Key="a.png", VersionId=image.version_id or "")

        assert world.analysis().analyze(image) == Done(Outcome.DROPPED)
        assert world.keys(FINAL) == []

    def test_while_it_was_looked_at_is_dropped(self, world: World) -> None:
        image = world.upload("a.png", png())
        version_id = image.version_id or ""
        world.rekognition.refusals = [RefusalError("InvalidImageFormatException")]
        world.rekognition.before_answer = lambda: world.s3.delete_object(
            Bucket=SOURCE, Key="a.png", VersionId=version_id
        )

        assert world.analysis().analyze(image) == Done(Outcome.DROPPED)
        assert world.published() == []

    def test_is_labelled_if_only_a_delete_marker_hides_it(self, world: World) -> None:
        image = world.upload("a.png", png())
        world.s3.delete_object(Bucket=SOURCE, Key="a.png")

        done = world.analysis().analyze(image)

        assert isinstance(done, Done)
        assert done.outcome is Outcome.LABELLED

    def test_since_its_bucket_is_gone_too_is_a_failure_when_copied(self, world: World) -> None:
        image = world.upload("a.png", png())
        analysis = world.analysis()
        world.rekognition.before_answer = lambda: world.s3.delete_bucket(Bucket=FINAL)

        with pytest.raises(ClientError, match="NoSuchBucket"):
            analysis.analyze(image)


class TestSomebodyElsesObjectWhereTheDocumentBelongs:
    def test_is_not_overwritten(self, world: World) -> None:
        world.s3.put_object(Bucket=FINAL, Key="images/a.png.json", Body=b"my notes")
        image = world.upload("a.png", png())

        with pytest.raises(UnreadableMarkError, match="is not a document of ours"):
            world.analysis().analyze(image)

        assert world.final("images/a.png.json") == b"my notes"


class Calls:
    """The names of the calls that a client makes."""

    def __init__(self, client: Any) -> None:
        self.names: list[str] = []
        client.meta.events.register("before-call", lambda model, **_: self.names.append(model.name))


def forbid(client: Any, operation: str) -> None:
    """Answer 403 to an operation, as S3 does to a role without the right."""

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, operation)

    client.meta.events.register(f"before-call.*.{operation}", refuse)
