"""How far a backfill has come: a small file, so that the same command goes on where it was."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from custom_labels_batch.cli.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: two at once are not noticed there
    fcntl = None  # type: ignore[assignment]


class Progress(BaseModel):
    """What has been listed, and queued.

    Attributes
    ----------
    until
        Objects that were modified later are left out.
    after_key
        Everything up to this key is done; None at the beginning.
    listed, queued
        Objects.
    queued_bytes
        Their size.
    finished_at
        None while there is more to do.
    """

    model_config = ConfigDict(frozen=True)

    bucket: str
    prefix: str
    until: datetime
    after_key: str | None = None
    listed: int = 0
    queued: int = 0
    queued_bytes: int = 0
    finished_at: datetime | None = None


class BackfillFile:
    """The file of one backfill: what it is about is in its name.

    Parameters
    ----------
    subject
        Whatever makes another backfill of it: the queue, the bucket, the prefix, the objects.
    """

    def __init__(self, *subject: str) -> None:
        name = hashlib.sha256("\n".join(subject).encode()).hexdigest()[:16]
        self.path = state_folder() / "backfill" / f"{name}.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others on this machine from doing the same at the same time.

        Raises
        ------
        InputError
            Somebody is at it, or the folder cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = self.path.with_suffix(".lock").open("w")
        except OSError as error:
            raise InputError(
                f"{self.path.parent} cannot be written ({error.strerror}); name another place with XDG_STATE_HOME"
            ) from None
        with lock:
            if fcntl is not None:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise InputError(
                        "this backfill is under way already, in another process of this machine; wait for its end"
                    ) from None
            yield

    def read(self) -> Progress | None:
        """How far it is; None where it has not begun.

        Raises
        ------
        InputError
            The file is not one of ours.
        """
        try:
            return Progress.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise InputError(f"{self.path} is damaged; delete it, and the backfill begins anew") from None

    def write(self, progress: Progress) -> None:
        """Replace the file: whoever stops us, it is whole."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(progress.model_dump_json(), encoding="utf-8")
        fresh.replace(self.path)


def state_folder() -> Path:
    """Where programs keep what they have done (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "custom-labels-batch"
