"""What the QuickSight dashboard shows, as the data that CreateDashboard takes as its definition."""

from typing import Any

Json = dict[str, Any]

DATA_SET = "predictions"
"""What the definition calls its one data set, which has a row for each label, and one for an image without labels."""

SHEET = "overview"

COLUMNS = {
    "image": "STRING",
    "image_id": "STRING",
    "label": "STRING",
    "confidence": "DECIMAL",
    "status": "STRING",
    "reason_code": "STRING",
    "reason_message": "STRING",
    "model_version": "STRING",
    "uploaded_at": "DATETIME",
    "link": "STRING",
}
"""Columns of the data set that the dashboard uses, with their QuickSight types."""

FIRST_DAYS_SHOWN = 30
"""Days back from today that the dashboard opens with; the reader may choose others."""

_COLUMNS_OF_THE_GRID = 36
_BIN_PERCENT = 5


def definition(data_set_arn: str) -> Json:
    """The dashboard on a data set that has `COLUMNS`: one sheet of figures, charts and a table, with two filters.

    A label filter leaves rejected images alone, since they have no label.
    """
    of_labels = ["labels", "labels-over-time", "confidence", "mean-confidence"]
    of_images = ["images", "predictions"]
    of_rejections = ["rejected-images", "rejections"]
    return {
        "DataSetIdentifierDeclarations": [{"Identifier": DATA_SET, "DataSetArn": data_set_arn}],
        "Sheets": [_sheet()],
        "FilterGroups": [
            _filter_group("dates", _last_days(), of_labels + of_images + of_rejections),
            _filter_group("chosen-labels", _chosen_labels(), of_labels + of_images),
            _filter_group("rows-with-a-label", _with_a_label(), of_labels),
            _filter_group("rows-of-rejected-images", _rejected(), of_rejections),
        ],
        "ColumnConfigurations": [{"Column": _column("confidence"), "FormatConfiguration": _percent()}],
    }


def _sheet() -> Json:
    return {
        "SheetId": SHEET,
        "Name": "Overview",
        "ContentType": "INTERACTIVE",
        "FilterControls": [
            {
                "RelativeDateTime": {
                    "FilterControlId": "dates-control",
                    "Title": "Uploaded",
                    "SourceFilterId": "dates-filter",
                }
            },
            {
                "Dropdown": {
                    "FilterControlId": "labels-control",
                    "Title": "Label",
                    "SourceFilterId": "chosen-labels-filter",
                    "Type": "MULTI_SELECT",
                }
            },
        ],
        "SheetControlLayouts": [
            _grid([_control("dates-control", column=0, width=8), _control("labels-control", column=8, width=8)])
        ],
        "Visuals": [
            _figure("images", "Images", _count("image_id", distinct=True)),
            _figure("mean-confidence", "Mean confidence", _mean("confidence")),
            _figure("rejected-images", "Rejected images", _count("image_id", distinct=True)),
            _labels(),
            _labels_over_time(),
            _confidence(),
            _rejections(),
            _predictions(),
        ],
        "Layouts": [
            _grid(
                [
                    _place("images", row=0, column=0, width=12, height=5),
                    _place("mean-confidence", row=0, column=12, width=12, height=5),
                    _place("rejected-images", row=0, column=24, width=12, height=5),
                    _place("labels", row=5, column=0, width=13, height=12),
                    _place("labels-over-time", row=5, column=13, width=23, height=12),
                    _place("confidence", row=17, column=0, width=18, height=10),
                    _place("rejections", row=17, column=18, width=18, height=10),
                    _place("predictions", row=27, column=0, width=_COLUMNS_OF_THE_GRID, height=18),
                ]
            )
        ],
    }


# Visuals


def _figure(visual_id: str, title: str, value: Json) -> Json:
    return {"KPIVisual": _visual(visual_id, title, {"FieldWells": {"Values": [value]}})}


def _labels() -> Json:
    chart = {
        "FieldWells": {"PieChartAggregatedFieldWells": {"Category": [_text("label")], "Values": [_count("label")]}},
        "SortConfiguration": {"CategorySort": [_by(_count_id("label"), "DESC")]},
        "DonutOptions": {
            "ArcOptions": {"ArcThickness": "MEDIUM"},
            "DonutCenterOptions": {"LabelVisibility": "VISIBLE"},
        },
    }
    return {"PieChartVisual": _visual("labels", "Labels", chart)}


def _labels_over_time() -> Json:
    day = {
        "DateDimensionField": {
            "FieldId": "uploaded_at",
            "Column": _column("uploaded_at"),
            "DateGranularity": "DAY",
        }
    }
    chart = {
        "Type": "LINE",
        "FieldWells": {
            "LineChartAggregatedFieldWells": {
                "Category": [day],
                "Values": [_count("label")],
                "Colors": [_text("label")],
            }
        },
        "SortConfiguration": {"CategorySort": [_by("uploaded_at", "ASC")]},
    }
    return {"LineChartVisual": _visual("labels-over-time", "Labels by day of upload", chart)}


def _confidence() -> Json:
    value = {"NumericalMeasureField": {"FieldId": "confidence", "Column": _column("confidence")}}
    chart = {
        "FieldWells": {"HistogramAggregatedFieldWells": {"Values": [value]}},
        "BinOptions": {
            "SelectedBinType": "BIN_WIDTH",
            "BinWidth": {"Value": _BIN_PERCENT, "BinCountLimit": 100 // _BIN_PERCENT},
            "StartValue": 0,
        },
    }
    return {"HistogramVisual": _visual("confidence", "Confidence of labels", chart)}


def _rejections() -> Json:
    chart = {
        "Orientation": "HORIZONTAL",
        "FieldWells": {
            "BarChartAggregatedFieldWells": {
                "Category": [_text("reason_code")],
                "Values": [_count("image_id", distinct=True)],
            }
        },
        "SortConfiguration": {"CategorySort": [_by(_count_id("image_id"), "DESC")]},
    }
    return {"BarChartVisual": _visual("rejections", "Rejected images by reason", chart)}


def _predictions() -> Json:
    titles = {
        "image": "Image",
        "label": "Label",
        "confidence": "Confidence",
        "status": "Status",
        "reason_message": "Why rejected",
        "uploaded_at": "Uploaded (UTC)",
        "model_version": "Model version",
        "link": "In the bucket",
    }
    options: list[Json] = [{"FieldId": column, "CustomLabel": title} for column, title in titles.items()]
    options[-1]["URLStyling"] = {
        "LinkConfiguration": {
            "Target": "NEW_TAB",
            "Content": {"CustomTextContent": {"Value": "Open", "FontConfiguration": {}}},
        }
    }
    chart = {
        "FieldWells": {
            "TableUnaggregatedFieldWells": {
                "Values": [{"FieldId": column, "Column": _column(column)} for column in titles]
            }
        },
        "SortConfiguration": {"RowSort": [_by("uploaded_at", "DESC")]},
        "FieldOptions": {"SelectedFieldOptions": options, "Order": list(titles)},
    }
    return {"TableVisual": _visual("predictions", "Images and their labels", chart)}


def _visual(visual_id: str, title: str, chart: Json) -> Json:
    return {
        "VisualId": visual_id,
        "Title": {"Visibility": "VISIBLE", "FormatText": {"PlainText": title}},
        # Otherwise QuickSight writes what it believes the chart shows.
        "Subtitle": {"Visibility": "HIDDEN"},
        "ChartConfiguration": chart,
    }


# Fields, whose ids need only be unique inside a visual


def _column(name: str) -> Json:
    return {"DataSetIdentifier": DATA_SET, "ColumnName": name}


def _text(column: str) -> Json:
    return {"CategoricalDimensionField": {"FieldId": column, "Column": _column(column)}}


def _count(column: str, distinct: bool = False) -> Json:
    return {
        "CategoricalMeasureField": {
            "FieldId": _count_id(column),
            "Column": _column(column),
            "AggregationFunction": "DISTINCT_COUNT" if distinct else "COUNT",
        }
    }


def _count_id(column: str) -> str:
    return f"count-of-{column}"


def _mean(column: str) -> Json:
    return {
        "NumericalMeasureField": {
            "FieldId": f"mean-of-{column}",
            "Column": _column(column),
            "AggregationFunction": {"SimpleNumericalAggregation": "AVERAGE"},
        }
    }


def _by(field_id: str, direction: str) -> Json:
    return {"FieldSort": {"FieldId": field_id, "Direction": direction}}


def _percent() -> Json:
    one_decimal = {"DecimalPlacesConfiguration": {"DecimalPlaces": 1}, "Suffix": " %"}
    numbers = {"FormatConfiguration": {"NumberDisplayFormatConfiguration": one_decimal}}
    return {"NumberFormatConfiguration": numbers}


# Filters


def _filter_group(name: str, filter_: Json, visuals: list[str]) -> Json:
    ((kind, rule),) = filter_.items()
    return {
        "FilterGroupId": name,
        "Filters": [{kind: {"FilterId": f"{name}-filter", **rule}}],
        "ScopeConfiguration": {
            "SelectedSheets": {
                "SheetVisualScopingConfigurations": [
                    {"SheetId": SHEET, "Scope": "SELECTED_VISUALS", "VisualIds": visuals}
                ]
            }
        },
        "CrossDataset": "SINGLE_DATASET",
        "Status": "ENABLED",
    }


def _last_days() -> Json:
    return {
        "RelativeDatesFilter": {
            "Column": _column("uploaded_at"),
            "AnchorDateConfiguration": {"AnchorOption": "NOW"},
            "MinimumGranularity": "DAY",
            "TimeGranularity": "DAY",
            "RelativeDateType": "LAST",
            "RelativeDateValue": FIRST_DAYS_SHOWN,
            "NullOption": "NON_NULLS_ONLY",
        }
    }


def _chosen_labels() -> Json:
    every_label = {"MatchOperator": "CONTAINS", "SelectAllOptions": "FILTER_ALL_VALUES", "NullOption": "ALL_VALUES"}
    return {"CategoryFilter": {"Column": _column("label"), "Configuration": {"FilterListConfiguration": every_label}}}


def _with_a_label() -> Json:
    """An image without labels has a row without confidence."""
    return {
        "NumericRangeFilter": {
            "Column": _column("confidence"),
            "RangeMinimum": {"StaticValue": 0},
            "IncludeMinimum": True,
            "NullOption": "NON_NULLS_ONLY",
        }
    }


def _rejected() -> Json:
    rejected = {"MatchOperator": "CONTAINS", "CategoryValues": ["rejected"], "NullOption": "NON_NULLS_ONLY"}
    return {"CategoryFilter": {"Column": _column("status"), "Configuration": {"FilterListConfiguration": rejected}}}


# Places on a grid of 36 columns


def _grid(elements: list[Json]) -> Json:
    return {"Configuration": {"GridLayout": {"Elements": elements}}}


def _place(visual_id: str, row: int, column: int, width: int, height: int) -> Json:
    return {
        "ElementId": visual_id,
        "ElementType": "VISUAL",
        "RowIndex": row,
        "ColumnIndex": column,
        "RowSpan": height,
        "ColumnSpan": width,
    }


def _control(control_id: str, column: int, width: int) -> Json:
    return {
        "ElementId": control_id,
        "ElementType": "FILTER_CONTROL",
        "RowIndex": 0,
        "ColumnIndex": column,
        "RowSpan": 1,
        "ColumnSpan": width,
    }
