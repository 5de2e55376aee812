"""Batch vision on AWS: components that run a Custom Labels model only while there are images to look at.

Examples
--------
>>> from custom_labels_batch import BatchInference
>>> BatchInference.__name__
'BatchInference'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from custom_labels_batch.components.analytics import Analytics, AnalyticsArgs
    from custom_labels_batch.components.batch_inference import BatchInference, BatchInferenceArgs
    from custom_labels_batch.components.destroy_guard import DestroyGuard, DestroyGuardArgs
    from custom_labels_batch.components.monitoring import Monitoring, MonitoringArgs
    from custom_labels_batch.components.notification import Notification, NotificationArgs

__all__ = [
    "Analytics",
    "AnalyticsArgs",
    "BatchInference",
    "BatchInferenceArgs",
    "DestroyGuard",
    "DestroyGuardArgs",
    "Monitoring",
    "MonitoringArgs",
    "Notification",
    "NotificationArgs",
]

_MODULES = {
    "Analytics": "analytics",
    "BatchInference": "batch_inference",
    "DestroyGuard": "destroy_guard",
    "Monitoring": "monitoring",
    "Notification": "notification",
}


def __getattr__(name: str) -> Any:
    """A component, imported when it is first asked for: Pulumi takes a second, which `clb` does without."""
    module = _MODULES.get(name.removesuffix("Args"))
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.components.{module}"), name)


def __dir__() -> list[str]:
    """For whoever explores it: the components too, before they are imported."""
    return sorted({*globals(), *__all__})
