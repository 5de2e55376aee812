"""Archives of a program's files, packed as Lambda takes them."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi

from sandbox.errors import SandboxError

# The oldest time a zip archive can hold: the same files always make the same archive.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def zip_archive(archive: pulumi.Archive) -> bytes:
    """Pack an archive as Lambda takes it: sorted names, one fixed time, readable by all.

    Raises
    ------
    SandboxError
        For a remote archive, a file that is not there, or an archive with nothing in it.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path, content in sorted(_files(archive, "")):
            entry = zipfile.ZipInfo(path, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, content)
        if not bundle.namelist():
            raise SandboxError("the function's archive holds no file")
    return buffer.getvalue()


def _files(asset: Any, path: str) -> Iterator[tuple[str, bytes]]:
    if isinstance(asset, pulumi.AssetArchive):
        for name, inner in asset.assets.items():
            yield from _files(inner, f"{path}/{name}".lstrip("/"))
    elif isinstance(asset, pulumi.StringAsset):
        yield path, asset.text.encode()
    elif isinstance(asset, pulumi.FileAsset):
        yield path, _read(Path(asset.path))
    elif isinstance(asset, pulumi.FileArchive) and Path(asset.path).is_dir():
        folder = Path(asset.path)
        for file in folder.rglob("*"):
            if file.is_file():
                yield f"{path}/{file.relative_to(folder).as_posix()}".lstrip("/"), _read(file)
    elif isinstance(asset, pulumi.FileArchive) and zipfile.is_zipfile(asset.path):
        with zipfile.ZipFile(asset.path) as bundle:
            for name in bundle.namelist():
                yield f"{path}/{name}".lstrip("/"), bundle.read(name)
    else:
        raise SandboxError(f"{type(asset).__name__} {path!r} is not a local file, folder, zip file or text")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SandboxError(f"file {file} of the archive cannot be read: {error.strerror}") from error
