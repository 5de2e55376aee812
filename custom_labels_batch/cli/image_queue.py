"""The image queue in a simulation: images wait, and are labelled in the order they came, at the model's rate.

Images are followed as vectors: at a fixed rate, one is done an image's time after both it had come and the one before
it was done, which is a running maximum.
"""

import numpy as np

from custom_labels_batch.cli.arrivals import Arrivals, Seconds

IMAGE_SECONDS = 1.0
"""An image's way through queue, function and model when nothing is in front of it."""

_AHEAD_SECONDS = 600


class ImageQueue:
    """Moments are seconds since the arrivals' first midnight.

    Attributes
    ----------
    labelled_at
        Of each of the arrivals' entries, the moment its last image was done; NaN while it waits.
    """

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals.in_pieces()
        self.labelled_at = np.full(len(self.arrivals.seconds), np.nan)
        self._before = np.concatenate(([0], np.cumsum(self.arrivals.images)))
        self._next = 0

    def waiting(self, now: float) -> int:
        """Images that have arrived and are not labelled, while no mapping is open."""
        return self._between(self._next, self._arrived(now))

    def open(self, at: float, rate: float) -> "Drain":
        """Label from then on, at so many images a second."""
        return Drain(self, at, rate)

    def _arrived(self, now: float) -> int:
        return int(np.searchsorted(self.arrivals.seconds, now, side="right"))

    def _between(self, first: int, last: int) -> int:
        return int(self._before[last] - self._before[first])


class Drain:
    """An open mapping."""

    def __init__(self, queue: ImageQueue, opened: float, rate: float) -> None:
        self._queue, self._opened, self._rate = queue, opened, rate
        self._first = queue._next
        self._known_until = -np.inf
        self._labelled_at: Seconds = np.empty(0)

    def backlog(self, now: float) -> int:
        """Images that have arrived and are not labelled."""
        return self._queue._between(self._first + self._labelled(now), self._queue._arrived(now))

    def labelled(self, now: float) -> int:
        """Images it has labelled."""
        return self._queue._between(self._first, self._first + self._labelled(now))

    def close(self, now: float) -> int:
        """Leave what is not labelled to the next one; the images this one labelled."""
        labelled = self._labelled(now)
        last = self._first + labelled
        self._queue.labelled_at[self._first : last] = self._labelled_at[:labelled]
        self._queue._next = last
        return self._queue._between(self._first, last)

    def _labelled(self, now: float) -> int:
        if now > self._known_until:
            # Twice as far as asked, so that all looks of a run together cost little more than the last.
            self._known_until = now + max(_AHEAD_SECONDS, now - self._opened)
            self._labelled_at = self._label(self._known_until)
        return int(np.searchsorted(self._labelled_at, now, side="right"))

    def _label(self, until: float) -> Seconds:
        """When each of the images is done that come into question until then."""
        window = slice(self._first, min(self._queue._arrived(until), self._last_possible(until)))
        seconds = self._queue.arrivals.images[window] / self._rate
        work = np.cumsum(seconds)
        can_begin = np.maximum(self._queue.arrivals.seconds[window], self._opened)
        labelled_at: Seconds = work + np.maximum.accumulate(can_begin - (work - seconds)) + IMAGE_SECONDS
        return labelled_at

    def _last_possible(self, until: float) -> int:
        """End of what can be labelled until then if it has all arrived."""
        before = self._queue._before
        most = int(before[self._first] + (until - self._opened) * self._rate)  # a float would have NumPy copy all
        return int(np.searchsorted(before, most, side="right"))
