"""Which files are images to upload, and under which keys."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.image_keys import is_image_key
from custom_labels_batch.functions.analyze_image.image_header import Unreadable, read_header
from custom_labels_batch.functions.shared.object_keys import MAX_KEY_BYTES
from custom_labels_batch.rules.image_suffixes import IMAGE_SUFFIXES

_FIRST_BYTES = 32


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file that is uploaded.

    Attributes
    ----------
    size
        Bytes.
    """

    path: Path
    key: str
    size: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not.

    Attributes
    ----------
    is_image
        It is one, but would not be labelled where it is.
    """

    path: Path
    reason: str
    is_image: bool = False


def find_files(arguments: Iterable[str], prefix: str) -> tuple[list[ImageFile], list[Refused]]:
    """Look through files, folders and globs.

    A file's key is its path within the folder that was named, or within the part of a glob before its first wildcard,
    or its name alone.

    Parameters
    ----------
    prefix
        In front of every key.

    Raises
    ------
    InputError
        There is no such file, or two would get the same key.
    """
    images: dict[str, ImageFile] = {}
    refused: dict[Path, Refused] = {}
    for argument in arguments:
        for path, name in _named(argument):
            found = _looked_at(path, prefix + name)
            if isinstance(found, Refused):
                refused[path] = found
            elif (first := images.setdefault(found.key, found)) is not found and first.path.resolve() != path.resolve():
                raise InputError(
                    f"{first.path} and {path} would both be {found.key}; upload them one after the other, "
                    "with a --prefix of their own"
                )
    return list(images.values()), list(refused.values())


def _named(argument: str) -> Iterator[tuple[Path, str]]:
    """Each file that an argument names, and the end of its key."""
    path = Path(argument)
    if path.is_dir():
        yield from _within(path, path)
    elif path.exists():
        yield path, path.name
    elif glob.has_magic(argument):
        yield from _matching(argument)
    else:
        raise InputError(f"{argument}: there is no such file or folder; name files, folders or globs such as '*.jpg'")


def _matching(pattern: str) -> Iterator[tuple[Path, str]]:
    found = sorted(glob.glob(pattern, recursive=True))
    if not found:
        raise InputError(f"{pattern}: no file matches; quote it, so that ** is not the shell's")
    parts = Path(pattern).parts
    fixed = Path(*parts[: next(n for n, part in enumerate(parts) if glob.has_magic(part))])
    for path in map(Path, found):
        if path.is_dir():
            yield from _within(path, fixed)
        else:
            yield path, _key_within(path, fixed)


def _within(folder: Path, base: Path) -> Iterator[tuple[Path, str]]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}); leave it out, or allow reading it")

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            yield path, _key_within(path, base)


def _key_within(path: PurePath, base: PurePath) -> str:
    return path.relative_to(base).as_posix()


def _looked_at(path: Path, key: str) -> ImageFile | Refused:
    if not path.is_file():
        return Refused(path, "is no regular file")
    try:
        with path.open("rb") as file:
            first, size = file.read(_FIRST_BYTES), os.fstat(file.fileno()).st_size
    except OSError as error:
        return Refused(path, f"cannot be read ({error.strerror})")
    if not first:
        return Refused(path, "is empty")
    header = read_header(first)
    if isinstance(header, Unreadable) and header.reason.code == "NotPngOrJpeg":
        return Refused(path, f"is {header.reason.message.partition(';')[0]}")
    if not is_image_key(key):
        return Refused(path, f"has a name that does not end in {', '.join(IMAGE_SUFFIXES)}: rename it", is_image=True)
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        return Refused(path, "has a name that is not UTF-8: rename it", is_image=True)
    if length > MAX_KEY_BYTES:
        return Refused(path, f"has a key of {length} bytes, and S3 takes {MAX_KEY_BYTES}: move it", is_image=True)
    return ImageFile(path, key, size, "image/png" if first.startswith(b"\x89PNG") else "image/jpeg")
