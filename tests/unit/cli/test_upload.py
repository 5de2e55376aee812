"""`clb upload`."""

import hashlib
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from custom_labels_batch.cli.uploader import MOST_FAILURES_IN_A_ROW, Uploader
from tests.unit.cli.aws_stack import AwsStack
from tests.unit.cli.conftest import Cli

pytestmark = pytest.mark.usefixtures("photographs")

JPEG, PNG = b"\xff\xd8\xff\xe0 a photograph", b"\x89PNG\r\n\x1a\n a drawing"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the operator is."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def photographs(folder: Path) -> Path:
    """A folder with two images, one in a folder of its own, and a text."""
    found = folder / "photographs"
    (found / "line 1").mkdir(parents=True)
    (found / "a.jpg").write_bytes(JPEG)
    (found / "line 1" / "b ü.PNG").write_bytes(PNG)
    (found / "notes.jpg").write_text("This is a text.")
    return found


def keys(aws: AwsStack, bucket: str = "source") -> list[str]:
    return [found["Key"] for found in aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def put(aws: AwsStack, bucket: str, key: str, body: bytes) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


class TestKeys:
    def test_of_a_folder_are_the_paths_within_it(self, aws: AwsStack, cli: Cli, photographs: Path) -> None:
        assert cli("upload", str(photographs), "--outputs", aws.file()).code == 0
        assert keys(aws) == ["a.jpg", "line 1/b ü.PNG"]

    def test_are_the_same_wherever_the_operator_is(
        self, aws: AwsStack, cli: Cli, photographs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(photographs)
        cli("upload", ".", "--outputs", aws.file())
        assert keys(aws) == ["a.jpg", "line 1/b ü.PNG"]

    def test_of_a_file_are_its_name(self, aws: AwsStack, cli: Cli) -> None:
        cli("upload", "photographs/line 1/b ü.PNG", "--outputs", aws.file())
        assert keys(aws) == ["b ü.PNG"]

    def test_of_a_glob_begin_at_its_first_wildcard(self, aws: AwsStack, cli: Cli) -> None:
        cli("upload", "photographs/**/*.PNG", "--outputs", aws.file())
        assert keys(aws) == ["line 1/b ü.PNG"]

    def test_begin_with_the_prefix_that_was_asked_for(self, aws: AwsStack, cli: Cli) -> None:
        cli("upload", "photographs/a.jpg", "--prefix", "today/", "--outputs", aws.file())
        assert keys(aws) == ["today/a.jpg"]

    def test_begin_with_the_stacks_own_prefix(self, aws: AwsStack, cli: Cli) -> None:
        aws.outputs["imagePrefix"] = "incoming/"
        cli("upload", "photographs/a.jpg", "--outputs", aws.file())
        assert keys(aws) == ["incoming/a.jpg"]

    def test_outside_the_stacks_own_prefix_are_refused(self, aws: AwsStack, cli: Cli) -> None:
        aws.outputs["imagePrefix"] = "incoming/"
        said = cli("upload", "photographs", "--prefix", "today/", "--outputs", aws.file())
        assert said.code == 2
        assert "try --prefix incoming/today/" in said.err

    def test_that_two_files_would_share_are_refused(self, aws: AwsStack, cli: Cli, photographs: Path) -> None:
        (photographs / "line 1" / "a.jpg").write_bytes(JPEG)
        said = cli("upload", "photographs/a.jpg", "photographs/line 1/a.jpg", "--outputs", aws.file())
        assert said.code == 2
        assert "would both be a.jpg" in said.err
        assert keys(aws) == []

    def test_of_a_file_that_is_named_twice_are_one(self, aws: AwsStack, cli: Cli) -> None:
        assert cli("upload", "photographs", "photographs/a.jpg", "--outputs", aws.file()).code == 0


class TestWhatIsSkipped:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"GIF89a", "is a GIF image"),
            (b"Hello", "is neither a PNG nor a JPEG file"),
            (b"", "is empty"),
        ],
    )
    def test_is_what_its_first_bytes_say_is_no_image(
        self, aws: AwsStack, cli: Cli, photographs: Path, body: bytes, why: str
    ) -> None:
        (photographs / "notes.jpg").write_bytes(body)
        said = cli("upload", "photographs", "--outputs", aws.file())
        assert said.code == 0
        assert f"photographs/notes.jpg: skipped, {why}\n" in said.out
        assert "photographs/notes.jpg" not in keys(aws)

    def test_is_an_image_whose_name_is_not_announced_and_then_the_exit_code_is_1(
        self, aws: AwsStack, cli: Cli, photographs: Path
    ) -> None:
        (photographs / "a.jpeg2").write_bytes(JPEG)
        said = cli("upload", "photographs", "--outputs", aws.file())
        assert said.code == 1
        assert "a.jpeg2: skipped, has a name that does not end in .jpg, .jpeg, .png: rename it" in said.out

    def test_is_told_up_to_a_point(self, aws: AwsStack, cli: Cli, photographs: Path) -> None:
        for number in range(30):
            (photographs / f"{number}.txt").write_text("text")
        said = cli("upload", "photographs", "--outputs", aws.file())
        assert "... and 11 more skipped" in said.out
        assert "; 31 skipped." in said.out

    def test_without_any_image_left_it_is_wrong_input(self, aws: AwsStack, cli: Cli) -> None:
        said = cli("upload", "photographs/notes.jpg", "--outputs", aws.file())
        assert said.code == 2
        assert "no PNG or JPEG" in said.err


class TestWhatIsThere:
    @pytest.mark.parametrize(
        ("bucket", "key"), [("source", "a.jpg"), ("final", "images/a.jpg"), ("final", "rejected/a.jpg")]
    )
    def test_is_not_uploaded_again(self, aws: AwsStack, cli: Cli, bucket: str, key: str) -> None:
        put(aws, bucket, key, JPEG)
        said = cli("upload", "photographs", "--outputs", aws.file())
        assert said.code == 0
        assert "Uploaded 1 image " in said.out
        assert "; 1 there already" in said.out

    def test_with_other_bytes_is_another_image(self, aws: AwsStack, cli: Cli) -> None:
        put(aws, "final", "images/a.jpg", JPEG[:-1] + b"X")
        assert "Uploaded 2 images" in cli("upload", "photographs", "--outputs", aws.file()).out

    def test_is_uploaded_again_if_that_is_asked_for(self, aws: AwsStack, cli: Cli) -> None:
        put(aws, "final", "images/a.jpg", JPEG)
        assert "Uploaded 2 images" in cli("upload", "photographs", "--again", "--outputs", aws.file()).out


class TestAnUpload:
    def test_arrives_as_it_is_with_its_content_type(self, aws: AwsStack, cli: Cli) -> None:
        cli("upload", "photographs", "--outputs", aws.file())
        found = aws.client("s3").get_object(Bucket="source", Key="line 1/b ü.PNG")
        assert (found["Body"].read(), found["ContentType"]) == (PNG, "image/png")

    def test_that_fails_is_told_and_the_others_go_on(
        self, aws: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: Uploader, bucket: str, key: str, image: object) -> bool:
            if key == "a.jpg":
                raise ClientError({"Error": {"Code": "SlowDown", "Message": "Reduce your rate"}}, "HeadObject")
            return False

        monkeypatch.setattr(Uploader, "_holds", fail)
        said = cli("upload", "photographs", "--outputs", aws.file())
        assert said.code == 1
        assert "photographs/a.jpg: HeadObject: SlowDown: Reduce your rate" in said.out
        assert keys(aws) == ["line 1/b ü.PNG"]

    def test_gives_up_where_everything_fails(
        self, aws: AwsStack, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> bool:
            raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "The token has expired"}}, "HeadObject")

        monkeypatch.setattr(Uploader, "_holds", fail)
        (folder / "many").mkdir()
        for number in range(100):
            (folder / "many" / f"{number}.jpg").write_bytes(JPEG)
        said = cli("upload", "many", "--parallel", "1", "--outputs", aws.file())
        assert said.code == 1
        assert f"; {MOST_FAILURES_IN_A_ROW} failed; {100 - MOST_FAILURES_IN_A_ROW} not tried" in said.out

    def test_to_a_bucket_that_is_gone_is_one_error(self, aws: AwsStack, cli: Cli) -> None:
        aws.outputs["sourceBucketName"] = "gone"
        said = cli("upload", "photographs", "--outputs", aws.file())
        assert said.code == 1
        assert said.err.startswith("error: HeadBucket: 404")

    def test_after_ctrl_c_says_how_to_go_on(self, aws: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("custom_labels_batch.cli.uploader.wait", interrupted)
        said = cli("upload", "photographs", "--outputs", aws.file())
        assert said.code == 130
        assert "Stopped; the same command goes on where it was." in said.out

    def test_of_many_files_uploads_each_once(self, aws: AwsStack, cli: Cli, folder: Path) -> None:
        (folder / "many").mkdir()
        for number in range(200):
            (folder / "many" / f"{number:03}.jpg").write_bytes(JPEG + bytes([number]))
        said = cli("upload", "many", "--outputs", aws.file())
        assert "Uploaded 200 images" in said.out
        etags = [found["ETag"] for found in aws.client("s3").list_objects_v2(Bucket="source")["Contents"]]
        assert etags == [f'"{hashlib.md5(JPEG + bytes([n])).hexdigest()}"' for n in range(200)]  # noqa: S324


def test_a_path_that_is_not_there_is_refused(aws: AwsStack, cli: Cli) -> None:
    said = cli("upload", "nothing", "--outputs", aws.file())
    assert said.code == 2
    assert "nothing: there is no such file or folder" in said.err


def test_a_glob_that_matches_nothing_is_refused(aws: AwsStack, cli: Cli) -> None:
    said = cli("upload", "*.jpg", "--outputs", aws.file())
    assert said.code == 2
    assert "no file matches" in said.err
