"""The text of a notification, as people read it in a mail: plain text, one statement a line."""

from .alert import Alert, FoundLabel
from .digest import Digest, Part
from .plain_text import quoted, visible
from .wording import count, model, moment, moment_range, percent, percent_range, place


def text(part: Part) -> str:
    """The whole mail."""
    alerts = part.digest.alerts
    return _about_one_image(alerts[0]) if len(alerts) == 1 else head(part) + "".join(entries(part))


def _about_one_image(alert: Alert) -> str:
    image = alert.prediction
    lines = [
        f"Found in {visible(image.image_key)}:",
        "",
        *(f"- {_found(label)}" for label in alert.labels),
        "",
        f"Uploaded: {moment(image.uploaded_at)}",
        f"Analyzed: {moment(image.processed_at)}",
        f"Model: {visible(model(image.project_version_arn))}",
        f"Stored at: {visible(image.final_uri)}",
    ]
    if alert.link:
        lines += ["", f"See it here until {moment(alert.link.until)}:", alert.link.url]
    return "\n".join(lines) + "\n"


def head(part: Part) -> str:
    """What comes before the first image: the whole digest in short."""
    digest = part.digest
    lines = [
        f"Found in {count(len(digest.alerts), 'image')}:",
        "",
        *(
            f"- {quoted(label.name)}: {count(len(label.confidences), 'image')}, {percent_range(label.confidences)}"
            for label in digest.summaries
        ),
        "",
        f"Uploaded: {moment_range([alert.prediction.uploaded_at for alert in digest.alerts])}",
        f"Analyzed: {moment_range([alert.prediction.processed_at for alert in digest.alerts])}",
    ]
    if len(digest.models) == 1:
        lines.append(f"Model: {visible(model(*digest.models))}")
    untils = [alert.link.until for alert in digest.alerts if alert.link]
    if untils:
        lines.append(f"The links work until: {moment(min(untils))}")
    if part.of > 1:
        lines += [
            "",
            f"This is part {part.number} of {part.of}: images {part.start + 1:,} to {part.end:,}, surest first.",
        ]
    return "\n".join(lines) + "\n"


def entries(part: Part) -> list[str]:
    """What is said about each image of a part, beginning with an empty line."""
    return [_entry(number, alert, part.digest) for number, alert in enumerate(part.alerts, part.start + 1)]


def _entry(number: int, alert: Alert, digest: Digest) -> str:
    image = alert.prediction
    lines = [
        "",
        f"{number:,}. {visible(image.image_key)}",
        f"   {'; '.join(map(_found, alert.labels))}",
        f"   Uploaded {moment(image.uploaded_at)}",
    ]
    if len(digest.models) > 1:
        lines.append(f"   Model {visible(model(image.project_version_arn))}")
    lines.append(f"   {alert.link.url if alert.link else visible(image.final_uri)}")
    return "\n".join(lines) + "\n"


def _found(label: FoundLabel) -> str:
    where = count(label.places, "place") if label.places > 1 else place(label.bounding_box)
    return f"{quoted(label.name)} {percent(label.confidence)}" + (f" ({where})" if where else "")
