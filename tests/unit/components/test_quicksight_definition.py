"""The dashboard's definition: what it shows, and that AWS's model, AWS's schema and its own references allow it."""

from typing import Any

import pytest

from custom_labels_batch.components.quicksight_definition import COLUMNS, definition
from sandbox.deployer.aws_requests import check_request
from sandbox.deployer.dashboards import check_references
from sandbox.deployer.resource_schema import check_desired_state
from sandbox.errors import SandboxError

ARN = "arn:aws:quicksight:us-east-1:123456789012:dataset/roofs"
DEFINITION = definition(ARN)
(SHEET,) = DEFINITION["Sheets"]
VISUALS = {body["VisualId"]: (kind, body) for visual in SHEET["Visuals"] for kind, body in visual.items()}
STATE = {"AwsAccountId": "123456789012", "DashboardId": "roofs", "Name": "Roofs", "Definition": DEFINITION}


def filters_of(visual_id: str) -> set[str]:
    return {
        group["FilterGroupId"]
        for group in DEFINITION["FilterGroups"]
        for scope in group["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"]
        if visual_id in scope["VisualIds"]
    }


def fields(visual_id: str) -> Any:
    return VISUALS[visual_id][1]["ChartConfiguration"]["FieldWells"]


class TestAwsWouldTakeIt:
    def test_the_request_fits_the_services_model(self) -> None:
        check_request("quicksight", "CreateDashboard", STATE)

    def test_the_properties_fit_the_resource_schema(self) -> None:
        check_desired_state("AWS::QuickSight::Dashboard", STATE, "us-east-1")

    def test_its_references_lead_somewhere(self) -> None:
        check_references(DEFINITION, {ARN: COLUMNS})

    @pytest.mark.parametrize("column", COLUMNS)
    def test_it_uses_every_column_it_asks_for(self, column: str) -> None:
        rest = {name: type_ for name, type_ in COLUMNS.items() if name != column}

        with pytest.raises(SandboxError, match=f"has no column '{column}'"):
            check_references(DEFINITION, {ARN: rest})


class TestWhatItShows:
    def test_the_visuals(self) -> None:
        assert {visual_id: kind for visual_id, (kind, _) in VISUALS.items()} == {
            "images": "KPIVisual",
            "mean-confidence": "KPIVisual",
            "rejected-images": "KPIVisual",
            "labels": "PieChartVisual",
            "labels-over-time": "LineChartVisual",
            "confidence": "HistogramVisual",
            "rejections": "BarChartVisual",
            "predictions": "TableVisual",
        }

    def test_labels_are_a_donut(self) -> None:
        assert VISUALS["labels"][1]["ChartConfiguration"]["DonutOptions"]["ArcOptions"] == {"ArcThickness": "MEDIUM"}

    def test_images_are_counted_once_however_many_labels_they_have(self) -> None:
        for values in (
            fields("images")["Values"],
            fields("rejections")["BarChartAggregatedFieldWells"]["Values"],
        ):
            assert values[0]["CategoricalMeasureField"]["AggregationFunction"] == "DISTINCT_COUNT"
            assert values[0]["CategoricalMeasureField"]["Column"]["ColumnName"] == "image_id"

    def test_the_table_links_to_each_image(self) -> None:
        options = VISUALS["predictions"][1]["ChartConfiguration"]["FieldOptions"]["SelectedFieldOptions"]
        (link,) = [option for option in options if "URLStyling" in option]

        assert link["FieldId"] == "link"
        assert link["URLStyling"]["LinkConfiguration"]["Target"] == "NEW_TAB"

    def test_confidence_is_in_bins_of_five_percent(self) -> None:
        bins = VISUALS["confidence"][1]["ChartConfiguration"]["BinOptions"]

        assert (bins["StartValue"], bins["BinWidth"]) == (0, {"Value": 5, "BinCountLimit": 20})


class TestFilters:
    def test_the_dates_are_for_everything(self) -> None:
        assert all("dates" in filters_of(visual_id) for visual_id in VISUALS)

    def test_the_labels_leave_rejected_images_alone(self) -> None:
        unfiltered = {visual_id for visual_id in VISUALS if "chosen-labels" not in filters_of(visual_id)}

        assert unfiltered == {"rejected-images", "rejections"}

    def test_charts_of_labels_leave_out_images_without_one(self) -> None:
        assert {visual_id for visual_id in VISUALS if "rows-with-a-label" in filters_of(visual_id)} == {
            "labels",
            "labels-over-time",
            "confidence",
            "mean-confidence",
        }

    def test_rejections_are_of_rejected_images(self) -> None:
        assert filters_of("rejections") == filters_of("rejected-images") == {"dates", "rows-of-rejected-images"}

    def test_people_choose_dates_and_labels(self) -> None:
        controls = {kind: body["SourceFilterId"] for c in SHEET["FilterControls"] for kind, body in c.items()}

        assert controls == {"RelativeDateTime": "dates-filter", "Dropdown": "chosen-labels-filter"}
