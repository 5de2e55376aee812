"""The time a run's inference units are sized for."""

import math


def drain_seconds(target_minutes: int) -> int:
    """Seconds a run's inference units are sized for, so that the last image is labelled within the target.

    The mapping opens and the last look comes within half a minute; 97 % of the TPS is what is reached (make bench).
    """
    target = target_minutes * 60
    return max(target // 2, math.floor(0.97 * target) - 30)
