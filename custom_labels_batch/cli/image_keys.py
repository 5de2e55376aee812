"""Which keys of the source bucket the stack labels: what its rule announces."""

from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.rules.image_suffixes import IMAGE_SUFFIXES


def announced_prefix(stack: Stack, given: str | None) -> str:
    """What keys begin with: as an option says, or else as the stack does.

    Raises
    ------
    InputError
        The stack labels no such keys.
    """
    announced = stack.optional("imagePrefix") or ""
    prefix = announced if given is None else given
    if not prefix.startswith(announced):
        raise InputError(
            f"--prefix {prefix!r}: this stack labels only keys that begin with {announced!r} (imagePrefix); try "
            f"--prefix {announced + prefix}"
        )
    return prefix


def is_image_key(key: str) -> bool:
    """Whether it ends as an image's name does, in any case."""
    return key.lower().endswith(IMAGE_SUFFIXES)
