"""What Hypothesis draws for the functions' tests."""

from datetime import UTC

from hypothesis import strategies as st

from custom_labels_batch.functions.shared.image_version import ImageVersion


def object_keys() -> st.SearchStrategy[str]:
    """Any key S3 takes: 1 to 1,024 bytes of UTF-8, with the characters that break naive code drawn often."""
    characters = st.characters(codec="utf-8") | st.sampled_from(" +%/é🧱&?#\\\n")
    return st.text(characters, min_size=1, max_size=1024).map(_at_most_1024_bytes) | st.text(
        st.sampled_from("aé🧱"), min_size=480, max_size=1024
    ).map(_at_most_1024_bytes)


def _at_most_1024_bytes(key: str) -> str:
    return key.encode()[:1024].decode(errors="ignore")


def sequencers() -> st.SearchStrategy[str]:
    return st.text("0123456789ABCDEF", min_size=1, max_size=24)


def image_versions() -> st.SearchStrategy[ImageVersion]:
    version_ids = st.none() | st.text("abcXYZ0189._", min_size=1, max_size=40).filter(lambda text: text != "null")
    return st.builds(
        ImageVersion,
        bucket=st.sampled_from(["photographs", "other.bucket"]),
        key=object_keys(),
        version_id=version_ids,
        etag=st.text("0123456789abcdef", min_size=32, max_size=32),
        sequencer=sequencers(),
        size=st.integers(0, 5 * 1024**4),
        uploaded_at=st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)),
    )
