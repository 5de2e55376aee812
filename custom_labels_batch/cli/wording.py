"""Numbers as an operator reads them."""


def usd(amount: float) -> str:
    """Whole dollars from 100 on, cents below."""
    return f"{amount:,.0f}" if amount >= 99.995 else f"{amount:,.2f}"


def duration(minutes: float | None) -> str:
    """In the unit that fits."""
    if minutes is None:
        return "-"
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    if minutes < 99.5:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} d"


def share(value: float) -> str:
    """In percent."""
    return f"{value:.0%}"


def percent(confidence: float) -> str:
    """A confidence, 0 to 100, as the report's gallery tells it: below 100 it is never said to be certain."""
    return f"{confidence:.0f} %" if confidence >= 100 else f"{min(confidence, 99.9):.1f} %"


def count(number: float, thing: str) -> str:
    """With its plural."""
    return f"{number:,.0f} {thing}" if round(number) == 1 else f"{number:,.0f} {thing}s"
