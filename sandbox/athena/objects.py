"""The objects of S3 as a file system for DuckDB, which opens those it needs and no other."""

import io
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fsspec import AbstractFileSystem

from sandbox.athena.errors import Cancelled, QueryError, not_supported
from sandbox.athena.partitions import Partition

_OTHER_COMPRESSIONS = (".bz2", ".lz4", ".snappy", ".zst", ".deflate")


@dataclass(frozen=True)
class File:
    """One object in S3, and its bytes as stored."""

    bucket: str
    key: str
    size: int


class Objects(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """Files at addresses that name their partition, as DuckDB reads partitions from paths.

    Attributes
    ----------
    scanned_bytes
        Of the files that were opened, as they are stored, each time one was.
    failure
        Why a file could not be read; DuckDB has only its own words for that.
    """

    protocol = "athena"
    cachable = False

    def __init__(self, read: Callable[[File], bytes], cutoff: int | None, stop: threading.Event) -> None:
        super().__init__()
        self._read, self._cutoff, self._stop = read, cutoff, stop
        self._files: dict[str, File] = {}
        self.scanned_bytes = 0
        self.failure: Exception | None = None

    def address(self, names: Iterable[str], partition: Partition, file: File) -> str:
        """Where DuckDB finds a file of a partition whose columns have these names."""
        if file.key.endswith(_OTHER_COMPRESSIONS):
            raise not_supported(f"the compression of {file.key}")
        folders = "".join(f"{name}={quote(value, '')}/" for name, value in zip(names, partition.values, strict=True))
        address = f"athena://{folders}{len(self._files)}.json{'.gz' if file.key.endswith('.gz') else ''}"
        self._files[address] = file
        return address

    def glob(self, path: str, **_: Any) -> list[str]:
        """Find files: every address is one."""
        return [path]

    def open(self, path: str, *_: Any, **__: Any) -> io.BytesIO:
        """Read a file."""
        file = self._files[path]
        self.scanned_bytes += file.size
        try:
            if self._stop.is_set():
                raise Cancelled("Query was cancelled by user")
            if self._cutoff is not None and self.scanned_bytes > self._cutoff:
                raise Cancelled("Bytes scanned limit was exceeded")
            return io.BytesIO(self._read(file))
        except (Cancelled, QueryError) as error:
            self.failure = error
            raise

    def size(self, path: str) -> int:
        """Bytes of a file."""
        return self._files[path].size
