"""The measurement of `cli backfill`, and what it shows: memory does not grow with the bucket."""

import tracemalloc

from benchmarks.backfill import measure


def peak_bytes(keys: int) -> int:
    tracemalloc.start()
    try:
        measure(keys, listing_milliseconds=0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_five_times_the_keys_take_no_more_memory() -> None:
    few, many = peak_bytes(5_000), peak_bytes(25_000)
    assert many < 1.3 * few
