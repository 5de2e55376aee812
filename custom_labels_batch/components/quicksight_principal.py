"""Who a QuickSight dashboard is for."""

import re

from custom_labels_batch.components.inputs import InputError

# A user that came through an IAM role has a slash in its name, and a group's name may have spaces.
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:quicksight:[a-z0-9-]+:[0-9]{12}:(user|group)/[^/\s]+/.+")


def checked_principal_arn(arn: str) -> str:
    """The ARN of a QuickSight user or group.

    Raises
    ------
    InputError
        Naming what the ARN is instead, and where to find a right one.
    """
    if _PRINCIPAL.fullmatch(arn):
        return arn
    kind = "belongs to IAM" if ":iam:" in arn or ":sts:" in arn else "is not a QuickSight user's or group's"
    raise InputError(
        f"{arn!r} {kind}; aws quicksight list-users --namespace default shows the ARNs of users, in QuickSight's "
        "identity region",
        "quick_sight_principal_arn",
    )


def principal_in(arn: str, account: str) -> str:
    """The ARN of a principal, if it is of this account; its region is QuickSight's identity region, and may be another.

    Raises
    ------
    ValueError
        Names both accounts.
    """
    if arn.split(":")[4] != account:
        raise ValueError(f"The QuickSight principal {arn} is not of account {account}, where this is deployed")
    return arn
