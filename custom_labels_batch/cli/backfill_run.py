"""Queues a bucket's objects, several requests at once, in memory that does not grow."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from custom_labels_batch.cli.backfill_state import Progress
from custom_labels_batch.cli.image_keys import is_image_key
from custom_labels_batch.cli.queues import BATCH
from custom_labels_batch.cli.source_objects import Page, SourceObject

_PAGES_AHEAD = 2
"""Pages that are listed while others are being sent: what is in memory, and what a second start may send again."""


class LeftOut(StrEnum):
    """Why an object is not queued."""

    NAME = "of another name"
    LATER = "modified later"
    ARCHIVED = "archived (restore them first)"


Send = Callable[[Sequence[SourceObject]], None]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A page, what of it is queued, and the requests that do so."""

    page: Page
    chosen: Sequence[SourceObject]
    batches: Sequence[Future[None]]


class Backfill:
    """Sends what is to be queued of each page, and counts.

    Parameters
    ----------
    send
        Queues up to `BATCH` objects; called from several threads.
    save
        Called whenever all objects up to some place are queued.

    Attributes
    ----------
    progress
        How far it is.
    left_out
        Of what was listed in this run.
    """

    def __init__(
        self,
        progress: Progress,
        send: Send,
        save: Callable[[Progress], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.progress = progress
        self.left_out: Counter[LeftOut] = Counter()
        self._send, self._save, self._now = send, save, now

    def run(self, pages: Iterable[Page], at_once: int) -> None:
        """Queue everything; after Ctrl-C or an error, finish and save what is under way.

        Raises
        ------
        OperationError, ClientError, BotoCoreError
            From listing and sending.
        """
        under_way: deque[_Sent] = deque()
        with ThreadPoolExecutor(at_once) as pool:
            try:
                for page in pages:
                    chosen = [found for found in page.objects if self._is_chosen(found)]
                    batches = [chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH)]
                    under_way.append(_Sent(page, chosen, [pool.submit(self._send, batch) for batch in batches]))
                    if len(under_way) > _PAGES_AHEAD:
                        self._settle_first(under_way)
            finally:
                self._settle_all(under_way)

    def _settle_all(self, under_way: "deque[_Sent]") -> None:
        """In their order, and none after one that failed: what is saved is queued without a gap."""
        try:
            while under_way:
                self._settle_first(under_way)
        finally:
            for sent in under_way:
                for future in sent.batches:
                    future.cancel()

    def _settle_first(self, under_way: "deque[_Sent]") -> None:
        """Wait for the oldest page; it stays the oldest until it is saved, whatever comes between."""
        sent = under_way[0]
        wait(sent.batches)
        for batch in sent.batches:
            batch.result()
        self.progress = self._after(sent)
        under_way.popleft()
        self._save(self.progress)

    def _after(self, sent: "_Sent") -> Progress:
        changes = {"after_key": sent.page.next} if sent.page.next is not None else {"finished_at": self._now()}
        return self.progress.model_copy(
            update={
                **changes,
                "listed": self.progress.listed + len(sent.page.objects),
                "queued": self.progress.queued + len(sent.chosen),
                "queued_bytes": self.progress.queued_bytes + sum(found.size for found in sent.chosen),
            }
        )

    def _is_chosen(self, found: SourceObject) -> bool:
        why = self._why_not(found)
        if why:
            self.left_out[why] += 1
        return why is None

    def _why_not(self, found: SourceObject) -> LeftOut | None:
        if not is_image_key(found.key):
            return LeftOut.NAME
        if found.modified_at >= self.progress.until:
            return LeftOut.LATER
        return LeftOut.ARCHIVED if found.is_archived else None
