"""What becomes of one image."""

from functions.analyze_image.analysis import Done, Outcome
from tests.unit.functions.world import FINAL, SOURCE, VERSION_ARN, World, png


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
            "processedAt": "2026-11-22T12:00:00.000Z",
            "labels": [{"name": "brick", "confidence": 93.25, "boundingBox": None}],
            "reason": None,
        }

    def test_is_announced_with_the_same_document(self, world: World) -> None:
        image = world.upload("wall.png", png())

        world.analysis().analyze(image)

        assert world.published() == [world.document("images/wall.png.json")]
