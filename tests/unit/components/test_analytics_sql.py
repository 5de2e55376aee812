"""The view and the saved queries, really run over rows that record-predictions' encoder wrote."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from custom_labels_batch.components.predictions_table import COLUMNS, PARTITION, VIEW_COLUMNS
from custom_labels_batch.components.query_files import QUERIES, saved_queries
from custom_labels_batch.functions.record_predictions.rows import rows_of
from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label, Prediction, Reason
from sandbox.pulumi_runtime import Result
from tests.unit.components.athena import (
    NAMED_QUERY,
    Athena,
    decode_view,
    in_types_of_duckdb,
    record_analytics,
    write_batch,
)
from tests.unit.functions.predictions import NOON, prediction

NOW = datetime.now(UTC).replace(microsecond=0)
VIEW = "rekognition_customlabels_analytics"
ALL = "SELECT * FROM rekognition_customlabels_analytics"
HOSTILE = [
    "a,b.png",
    '"quoted".png',
    "it's.png",
    "two\nlines.png",
    "🧱.png",
    "=1+1",
    "<script>",
    "k" * 1024,
    "%_",
    "\\",
]

Recorded = Callable[..., Athena]


@pytest.fixture(scope="module")
def graph() -> Result:
    return record_analytics()


@pytest.fixture
def recorded(graph: Result, tmp_path: Path) -> Recorded:
    """Write batches, and open the database over them."""

    def write(*batches: Iterable[Prediction]) -> Athena:
        for batch in batches:
            write_batch(tmp_path, batch)
        return Athena(graph, tmp_path)

    return write


def image(number: int, key: str | None = None, days_ago: int = 0) -> ImageVersion:
    uploaded_at = NOW - timedelta(days=days_ago)
    return ImageVersion("photographs", key or f"{number}.png", str(number), "5d41402a", "0061", 12, uploaded_at)


def label(name: str, confidence: float = 90.0) -> Label:
    return Label(name=name, confidence=confidence)


BRICK, GRASS, GRAVEL = label("brick"), label("grass", 80.0), label("gravel", 75.5)
TOO_SMALL = Reason(code="ImageTooSmall", message='It has 10 pixels, "quoted", and\na line break')


class TestTheView:
    def test_shows_a_prediction_once_though_it_was_delivered_twice(self, recorded: Recorded) -> None:
        one, two = prediction(image(1), BRICK, GRASS), prediction(image(2), BRICK)

        athena = recorded([one, two], [one], [two, one, prediction(image(3))])

        assert Counter((row["image"], row["label"]) for row in athena.query(ALL)) == {
            ("1.png", "brick"): 1,
            ("1.png", "grass"): 1,
            ("2.png", "brick"): 1,
            ("3.png", None): 1,
        }

    def test_shows_the_newest_prediction_of_an_image_and_nothing_of_the_others(self, recorded: Recorded) -> None:
        old = prediction(image(1), BRICK, GRASS, GRAVEL, processed_at=NOW)
        new = prediction(image(1), label("grass", 99.0), processed_at=NOW + timedelta(milliseconds=1))

        athena = recorded([new], [old, new], [old])

        assert [(row["label"], row["confidence"]) for row in athena.query(ALL)] == [("grass", 99.0)]

    def test_shows_the_newest_even_if_it_found_nothing(self, recorded: Recorded) -> None:
        old = prediction(image(1), BRICK, processed_at=NOW)
        new = prediction(image(1), processed_at=NOW + timedelta(days=2))

        assert [row["label"] for row in recorded([old], [new]).query(ALL)] == [None]

    def test_shows_one_of_two_predictions_of_the_same_millisecond_and_not_a_mixture(self, recorded: Recorded) -> None:
        first = prediction(image(1), BRICK, GRASS, processed_at=NOW)
        second = first.model_copy(update={"labels": (GRAVEL,), "final_uri": "s3://final/superseded/1.png/1"})

        shown = {row["label"] for row in recorded([first], [second]).query(ALL)}

        assert shown in ({"brick", "grass"}, {"gravel"})

    def test_shows_two_versions_of_a_key_as_two_images(self, recorded: Recorded) -> None:
        athena = recorded([prediction(image(1, "a.png"), BRICK), prediction(image(2, "a.png"), BRICK)])

        assert len({row["image_id"] for row in athena.query(ALL)}) == 2

    def test_shows_a_label_that_was_found_twice_in_an_image_twice(self, recorded: Recorded) -> None:
        boxes = [BoundingBox(left=left, top=0.25, width=0.125, height=1.0) for left in (0.0, 0.5)]
        found = [Label(name="nail", confidence=90.0, bounding_box=box) for box in boxes]

        athena = recorded([prediction(image(1), *found)])

        assert [
            [row[f"box_{side}"] for side in ("left", "top", "width", "height")]
            for row in athena.query(f"{ALL} ORDER BY label_number")
        ] == [
            [0.0, 0.25, 0.125, 1.0],
            [0.5, 0.25, 0.125, 1.0],
        ]

    @pytest.mark.parametrize("text", HOSTILE)
    def test_shows_keys_and_labels_as_they_are(self, recorded: Recorded, text: str) -> None:
        athena = recorded([prediction(image(1, text), label(text))])

        (row,) = athena.query(ALL)
        assert (row["image"], row["label"]) == (text, text)

    @pytest.mark.parametrize("confidence", [70.0, 99.99999237060547, 0.1 + 0.2])
    def test_shows_a_confidence_to_the_last_bit(self, recorded: Recorded, confidence: float) -> None:
        (row,) = recorded([prediction(image(1), label("brick", confidence))]).query(ALL)

        assert row["confidence"] == confidence

    def test_shows_fifty_labels_of_an_image_in_their_order(self, recorded: Recorded) -> None:
        names = [f"label {number}" for number in range(50)]

        athena = recorded([prediction(image(1), *map(label, names))])

        assert [row["label"] for row in athena.query(f"{ALL} ORDER BY label_number")] == names

    def test_shows_times_to_the_millisecond(self, recorded: Recorded) -> None:
        processed_at = NOW + timedelta(milliseconds=123)

        (row,) = recorded([prediction(image(1), processed_at=processed_at)]).query(ALL)

        assert row["processed_at"].replace(tzinfo=UTC) == processed_at
        assert row["uploaded_at"].replace(tzinfo=UTC) == NOW

    def test_reads_only_the_days_a_query_names(self, recorded: Recorded) -> None:
        athena = recorded([prediction(image(n, days_ago=n), BRICK) for n in range(9)])
        day = f"{NOW - timedelta(days=4):%Y-%m-%d}"

        assert athena.files_read(ALL) == 9
        assert athena.files_read(f"{ALL} WHERE dt = '{day}'") == 1
        assert athena.files_read(f"{ALL} WHERE dt >= '{day}'") == 5

    def test_keeps_the_day_in_the_partition_of_every_window(self) -> None:
        sql = (QUERIES / "views" / f"{VIEW}.sql").read_text(encoding="utf-8")
        windows = list(sqlglot.parse_one(sql, read="athena").find_all(exp.Window))

        assert len(windows) == 2
        for window in windows:
            assert {column.name for column in window.args["partition_by"]} >= {"dt", "image_id"}

    @given(data=st.data())
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_agrees_with_a_count_in_python_however_messages_were_delivered(
        self, graph: Result, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        found = data.draw(st.lists(predictions(), max_size=8, unique_by=lambda one: (one.image_id, one.processed_at)))
        batches = data.draw(st.lists(st.lists(st.sampled_from(found), max_size=8), max_size=4)) if found else []
        folder = tmp_path_factory.mktemp("bucket")
        for batch in [found, *batches]:
            write_batch(folder, batch)
        if not found:
            return

        shown = Athena(graph, folder).query(ALL)

        newest: dict[str, Prediction] = {}
        for one in sorted(found, key=lambda p: p.processed_at):
            newest[one.image_id] = one
        assert Counter((row["image_id"], row["label"], row["confidence"]) for row in shown) == Counter(
            (one.image_id, row["label"], row["confidence"]) for one in newest.values() for row in rows_of(one)
        )


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    """Of few images, uploaded on a day of their own, each analysed at different times."""
    number = draw(st.integers(0, 3))
    processed_at = NOW + timedelta(milliseconds=draw(st.integers(0, 10**6)))
    if draw(st.integers(0, 4)) == 0:
        return prediction(image(number, days_ago=number), reason=TOO_SMALL, processed_at=processed_at)
    names = draw(st.lists(st.sampled_from(["brick", "grass", "gravel"]), max_size=3))
    found = [label(name, draw(st.floats(0, 100))) for name in names]
    return prediction(image(number, days_ago=number), *found, processed_at=processed_at)


class TestTheViewsColumns:
    """Where a column of the view's differs from what its SQL selects, Athena calls the view stale."""

    def test_are_those_its_sql_selects_in_the_same_order(self, graph: Result) -> None:
        view = graph.named("analytics-view").properties
        decoded = decode_view(graph.named("analytics-view"))

        selected = sqlglot.parse_one(decoded["originalSql"], into=exp.Select, read="athena").named_selects
        assert [column["name"] for column in decoded["columns"]] == selected
        assert [column["name"] for column in view["storageDescriptor"]["columns"]] == selected

    def test_have_the_types_its_sql_selects(self, recorded: Recorded) -> None:
        athena = recorded([prediction(image(1), BRICK)])
        storage = athena.view.properties["storageDescriptor"]

        declared = {column["name"]: in_types_of_duckdb(column["type"]) for column in storage["columns"]}
        assert athena.types(ALL) == declared

    def test_have_the_same_type_in_the_catalogs_and_in_the_engines_words(self, graph: Result) -> None:
        words = {
            "string": "varchar",
            "double": "double",
            "int": "integer",
            "bigint": "bigint",
            "timestamp": "timestamp",
        }
        view = graph.named("analytics-view").properties["storageDescriptor"]["columns"]
        decoded = decode_view(graph.named("analytics-view"))["columns"]

        assert [words[column["type"]] for column in view] == [column["type"] for column in decoded]

    def test_begin_with_those_of_the_published_sample(self, recorded: Recorded) -> None:
        (row,) = recorded([prediction(image(1), BRICK)]).query(f"{ALL} LIMIT 10")

        assert list(row)[:3] == ["image", "label", "confidence"]
        assert (row["image"], row["label"], row["confidence"]) == ("1.png", "brick", 90.0)

    def test_are_of_kinds_every_client_reads(self) -> None:
        assert not [column.name for column in VIEW_COLUMNS if "<" in column.type]


def test_the_tables_columns_are_those_of_the_rows() -> None:
    (row,) = rows_of(prediction(image(1), BRICK))

    assert {column.name for column in COLUMNS} == set(row)
    assert PARTITION.name not in row


class TestSavedQueries:
    @pytest.fixture
    def athena(self, recorded: Recorded) -> Athena:
        """Two days of images, half of which were delivered twice and one of which was analysed twice."""
        first = [
            prediction(image(1), BRICK, GRASS),
            prediction(image(2), BRICK, label("brick", 71.0)),
            prediction(image(3), label("grass", 79.9)),
            prediction(image(4)),
            prediction(image(5), reason=TOO_SMALL),
            prediction(image(6, days_ago=1), *[label(f"l{n:02}", 80.0 + n / 10) for n in range(50)]),
        ]
        second = [prediction(image(7, days_ago=1), GRAVEL), prediction(image(8, days_ago=45), GRAVEL)]
        again = prediction(image(7, days_ago=1), GRAVEL, BRICK, processed_at=NOON + timedelta(hours=1))
        return recorded(first, second, first[:3] + second, [again, *first[3:]])

    def test_count_the_images_with_a_label(self, athena: Athena) -> None:
        answer = athena.saved("labels-by-count")

        assert [(row["label"], row["images"], row["times_found"]) for row in answer[:3]] == [
            ("brick", 3, 4),
            ("grass", 2, 2),
            ("gravel", 2, 2),
        ]
        assert [row["label"] for row in answer[3:]] == [f"l{n:02}" for n in range(50)]
        assert (answer[0]["lowest_confidence"], answer[0]["highest_confidence"]) == (71.0, 90.0)
        assert answer[0]["average_confidence"] == 85.25

    def test_count_the_images_of_a_day(self, athena: Athena) -> None:
        answer = athena.saved("labels-per-day")

        today, yesterday = f"{NOW:%Y-%m-%d}", f"{NOW - timedelta(days=1):%Y-%m-%d}"
        assert [(row["day"], row["label"], row["images"]) for row in answer][:7] == [
            (today, "brick", 2),
            (today, "grass", 2),
            (today, "(no label)", 1),
            (today, "(rejected)", 1),
            (yesterday, "brick", 1),
            (yesterday, "gravel", 1),
            (yesterday, "l00", 1),
        ]
        assert {row["day"] for row in answer} == {today, yesterday}, "the image of 45 days ago is too old"

    def test_show_uncertain_images_with_their_least_certain_label(self, athena: Athena) -> None:
        answer = athena.saved("low-confidence-to-review")

        assert [(row["image"], row["label"], row["confidence"]) for row in answer] == [
            ("2.png", "brick", 71.0),
            ("7.png", "gravel", 75.5),
            ("8.png", "gravel", 75.5),
            ("3.png", "grass", 79.9),
        ]

    def test_take_a_confidence_of_exactly_the_limit_for_certain(self, recorded: Recorded) -> None:
        limit, below = (
            prediction(image(1), label("brick", 80.0)),
            prediction(image(2), label("brick", 79.99999999999999)),
        )

        answer = recorded([limit, below]).saved("low-confidence-to-review")

        assert [row["image"] for row in answer] == ["2.png"]

    def test_say_why_images_were_rejected(self, athena: Athena) -> None:
        (row,) = athena.saved("rejected-images")

        assert (row["image"], row["reason"], row["explanation"]) == ("5.png", TOO_SMALL.code, TOO_SMALL.message)
        assert row["size_in_bytes"] == 12

    def test_show_images_with_several_kinds_of_labels(self, athena: Athena) -> None:
        answer = athena.saved("images-with-several-labels")

        assert [(row["image"], row["number_of_labels"]) for row in answer] == [
            ("6.png", 50),
            ("1.png", 2),
            ("7.png", 2),
        ]
        assert answer[1]["labels"] == "brick, grass"

    def test_agree_with_a_count_in_python(self, recorded: Recorded) -> None:
        found = [
            prediction(image(n, days_ago=n % 5), *[label(name) for name in ("a", "b", "c", "d")[: n % 5]])
            for n in range(60)
        ]
        athena = recorded(found[:40], found[20:], found[::3])

        images: defaultdict[str, set[str]] = defaultdict(set)
        for one in found:
            for each in one.labels:
                images[each.name].add(one.image_id)
        counted = sorted(((name, len(ids)) for name, ids in images.items()), key=lambda pair: (-pair[1], pair[0]))
        assert [(row["label"], row["images"]) for row in athena.saved("labels-by-count")] == counted
        several = [one.image_key for one in found if len(one.labels) > 1]
        assert sorted(row["image"] for row in athena.saved("images-with-several-labels")) == sorted(several)

    def test_answer_nothing_of_an_empty_day(self, recorded: Recorded) -> None:
        athena = recorded([prediction(image(1))])

        assert athena.saved("labels-by-count") == athena.saved("rejected-images") == []

    @pytest.mark.parametrize("name", [query.name.replace("_", "-") for query in saved_queries()])
    def test_keep_their_order_with_hostile_names(self, recorded: Recorded, name: str) -> None:
        found = [prediction(image(n, text), label(text, 75.0), label("x")) for n, text in enumerate(HOSTILE)]

        first, second = recorded(found).saved(name), recorded(found[::-1]).saved(name)

        assert first == second
        if name != "rejected-images":
            assert set(HOSTILE) <= {row.get("image", row.get("label")) for row in first}

    def test_are_one_statement_of_athenas_each_on_the_view(self, graph: Result) -> None:
        for query in graph.of_type(NAMED_QUERY):
            (statement,) = sqlglot.parse(query.properties["query"], read="athena")
            assert isinstance(statement, exp.Select)
            assert statement.args["order"], "an answer without an order is another one each time"
            assert {table.name for table in statement.find_all(exp.Table) if table.name} == {VIEW}

    def test_have_names_people_can_read(self, graph: Result) -> None:
        assert {query.properties["name"] for query in graph.of_type(NAMED_QUERY)} == {
            "Labels by count",
            "Labels per day",
            "Low confidence to review",
            "Rejected images",
            "Images with several labels",
        }
        for query in graph.of_type(NAMED_QUERY):
            assert 20 < len(query.properties["description"]) < 1024
            assert query.properties["query"].startswith(f"-- {query.properties['name']}\n-- ")
