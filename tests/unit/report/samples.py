"""Reports to look at and to test with: an ordinary one, a hostile one, a big one, and the empty one."""

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle, islice

from custom_labels_batch.report.data import (
    BilledPeriod,
    Box,
    Image,
    Label,
    Mail,
    ModelState,
    Report,
    Run,
    Sample,
    Status,
)
from custom_labels_batch.report.thumbnails import size_for, thumbnail
from sandbox.photographs import photographs
from sandbox.uploads import Upload, demo_uploads

BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SCALE = 1 / 30
"""Real seconds a simulated second."""

HOSTILE_KEYS = (
    "=1+1.jpg",
    "@SUM(A1:A9).jpg",
    '<script>alert("key")</script>.jpg',
    "<img src=x onerror=alert(1)>.jpg",
    "</script><script>alert(2)</script><!--.jpg",
    "quotes ' \" `${alert(3)}` {{ 7*7 }}.jpg",
    "commas, and; semicolons;=1+1.jpg",
    "line\nbreak\r\nand\ttab\u2028.jpg",
    "photo\u202egpj.exe",
    "k" * 1020 + ".jpg",
    "javascript:alert(4)//.jpg",
)


@cache
def ordinary() -> Report:
    """What the demo shows: the sandbox's 72 uploads, one run, simulated minutes."""
    chance = random.Random(5)  # noqa: S311 - the same report every time
    images = [_image(number, upload, chance) for number, upload in enumerate(demo_uploads())]
    return Report(
        title="What the images show",
        source="Custom Labels batch, stack sandbox on this machine",
        generated_at=BEGAN + timedelta(minutes=1),
        time_note="Minutes are simulated.",
        time_scale=SCALE,
        images=tuple(images),
        runs=(run(len(images)),),
        mails=(
            Mail(
                to="quality@example.com",
                subject="2 images: brick",
                text="brick 99.1 %  line-1/brick-000.jpg\n",
                received_at=BEGAN,
            ),
        ),
        accuracy=0.985,
        accuracy_note="of the photographs, by their surest label",
        threshold=70,
    )


def _image(number: int, upload: Upload, chance: random.Random) -> Image:
    labelled = upload.label is not None
    labels: tuple[Label, ...] = ()
    if upload.label and number != 31:
        labels = (Label(name=upload.label, confidence=100 - min(29, chance.expovariate(0.25))),)
    reasons = cycle(
        (
            "the file is cut off",
            "not a JPEG or PNG",
            "the file is empty",
            "not a JPEG or PNG",
            "32 x 32 pixels; at least 64 x 64 are needed",
        )
    )
    return Image(
        key=upload.key,
        status=Status.LABELLED if labelled else Status.REJECTED,
        labels=labels,
        reason="" if labelled else next(islice(reasons, number - 67, None)),
        uploaded_at=BEGAN - timedelta(seconds=1, milliseconds=-number * 8),
        processed_at=BEGAN + timedelta(seconds=20.8 + number * 0.05),
        size=len(upload.body),
        thumbnail=thumbnail(upload.body, size_for(72)),
        image_id=f"{number:064x}",
        final_uri=f"s3://final-bucket/{'images' if labelled else 'rejected'}/{upload.key}",
        link=f"https://example.com/{number}",
    )


def run(images: int, number: int = 1, started_at: datetime = BEGAN, units: int = 1) -> Run:
    """A run as the sandbox shows it: the model takes 10 minutes to start."""
    drained = 10.4 + max(0.4, images / 60)
    return Run(
        name=f"Run {number}",
        started_at=started_at,
        outcome="DRAINED",
        images=images,
        rejected=min(images, 5),
        billed_minutes=(drained + 1.1 - 10.4) * units,
        duration_minutes=drained + 2.2,
        states=(
            ModelState(status="STOPPED", begin=0, end=0.3),
            ModelState(status="STARTING", begin=0.3, end=10.4),
            ModelState(status="RUNNING", begin=10.4, end=drained + 1.1),
            ModelState(status="STOPPING", begin=drained + 1.1, end=drained + 1.9),
            ModelState(status="STOPPED", begin=drained + 1.9, end=drained + 2.2),
        ),
        billed=(BilledPeriod(begin=10.4, end=drained + 1.1, inference_units=units),),
        backlog=_samples(images, drained, falling=True),
        done=_samples(images, drained, falling=False),
    )


def _samples(images: int, drained: float, *, falling: bool) -> tuple[Sample, ...]:
    minutes = [tenth / 10 for tenth in range(int(drained * 10) + 10)]
    done = [round(images * min(1, max(0, (minute - 10.5) / (drained - 10.5)))) for minute in minutes]
    return tuple(Sample(minute=m, count=images - d if falling else d) for m, d in zip(minutes, done, strict=True))


@cache
def hostile() -> Report:
    """Names, labels and reasons that try to be something else than text; one image with 50 labels."""
    _, body = next(photographs(1, 3))
    picture = thumbnail(body, size_for(72))
    images = [
        Image(
            key=key,
            status=Status.LABELLED,
            labels=(Label(name=key[:60], confidence=70, box=Box(left=0.1, top=0.2, width=0.5, height=0.4)),),
            uploaded_at=BEGAN,
            processed_at=BEGAN + timedelta(seconds=number),
            thumbnail=picture,
            final_uri=f"s3://final/{key}",
        )
        for number, key in enumerate(HOSTILE_KEYS)
    ]
    many = tuple(Label(name=f'label {n:02}, "{n}"', confidence=100 - n * 0.6) for n in range(50))
    images.append(
        Image(key="fifty-labels.jpg", status=Status.LABELLED, labels=many, processed_at=BEGAN, thumbnail=picture)
    )
    images.append(
        Image(key="<b>.png", status=Status.REJECTED, reason="<img src=x onerror=alert(5)>", processed_at=BEGAN)
    )
    return Report(
        title="<script>alert('title')</script>",
        source="</title><script>alert(6)</script>",
        generated_at=BEGAN,
        images=tuple(images),
        runs=(run(13).model_copy(update={"name": "<i>run</i>", "cause": "<script>alert(7)</script>"}),),
        mails=(Mail(to="<a@b>", subject="<script>alert(8)</script>", text="</pre><script>alert(9)</script>"),),
        threshold=70,
    )


def empty() -> Report:
    return Report(title="Nothing yet", source="Custom Labels batch", generated_at=BEGAN)


@cache
def big(images: int = 5_000, days: int = 14, labels: tuple[str, ...] | None = None) -> Report:
    """Several runs over several days; every photograph is another one up to 300, then they come again."""
    chance = random.Random(9)  # noqa: S311
    size = size_for(images)
    pictures = [(label, thumbnail(body, size)) for label, body in photographs(min(images, 300), 12)]
    names = labels or ("brick", "grass", "gravel")
    made = []
    for number in range(images):
        uploaded = BEGAN + timedelta(days=days * number / images) + timedelta(minutes=chance.random() * 300)
        rejected = number % 97 == 0
        label = chance.choices(names, weights=[1 / (place + 1) for place in range(len(names))])[0]
        made.append(
            Image(
                key=f"line-{number % 4 + 1}/{uploaded:%Y-%m-%d}/img-{number:05}.jpg",
                status=Status.REJECTED if rejected else Status.LABELLED,
                reason="not a JPEG or PNG" if number % 2 else "the file is empty",
                labels=() if rejected else (Label(name=label, confidence=100 - min(45, chance.expovariate(0.15))),),
                uploaded_at=uploaded,
                processed_at=uploaded + timedelta(minutes=20 + chance.random() * 60),
                size=chance.randrange(80_000, 9_000_000),
                thumbnail=None if rejected else pictures[number % len(pictures)][1],
                image_id=f"{number:064x}",
                final_uri=f"s3://final-bucket/images/img-{number:05}.jpg",
            )
        )
    runs = [run(images // days, day + 1, BEGAN + timedelta(days=day), units=1 + day % 2) for day in range(days)]
    return Report(
        title="Two weeks of photographs",
        source="Custom Labels batch, stack production",
        generated_at=BEGAN,
        images=tuple(made),
        runs=tuple(runs),
        threshold=60,
    )
