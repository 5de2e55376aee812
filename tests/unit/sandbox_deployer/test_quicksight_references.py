"""What a dashboard's definition may refer to: each thing broken once, and named in the refusal."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.deployer.dashboards import check_references
from sandbox.errors import SandboxError

ARN = "arn:aws:quicksight:us-east-1:123456789012:dataset/sales"
COLUMNS = {"region": "STRING", "amount": "DECIMAL", "units": "INTEGER", "day": "DATETIME"}

Json = dict[str, Any]


def column(name: str) -> Json:
    return {"DataSetIdentifier": "sales", "ColumnName": name}


DEFINITION: Json = {
    "DataSetIdentifierDeclarations": [{"Identifier": "sales", "DataSetArn": ARN}],
    "CalculatedFields": [{"DataSetIdentifier": "sales", "Name": "doubled", "Expression": "amount * 2"}],
    "Sheets": [
        {
            "SheetId": "one",
            "FilterControls": [{"Dropdown": {"FilterControlId": "regions", "SourceFilterId": "region"}}],
            "SheetControlLayouts": [
                {
                    "Configuration": {
                        "GridLayout": {
                            "Elements": [
                                {
                                    "ElementId": "regions",
                                    "ElementType": "FILTER_CONTROL",
                                    "ColumnSpan": 2,
                                    "RowSpan": 1,
                                }
                            ]
                        }
                    }
                }
            ],
            "Visuals": [
                {
                    "TableVisual": {
                        "VisualId": "table",
                        "ChartConfiguration": {
                            "FieldWells": {
                                "TableAggregatedFieldWells": {
                                    "GroupBy": [
                                        {"CategoricalDimensionField": {"FieldId": "r", "Column": column("region")}}
                                    ],
                                    "Values": [
                                        {"NumericalMeasureField": {"FieldId": "a", "Column": column("amount")}},
                                        {"NumericalMeasureField": {"FieldId": "d", "Column": column("doubled")}},
                                    ],
                                }
                            },
                            "SortConfiguration": {"RowSort": [{"FieldSort": {"FieldId": "a", "Direction": "ASC"}}]},
                            "FieldOptions": {"SelectedFieldOptions": [{"FieldId": "r"}], "Order": ["r", "a", "d"]},
                        },
                        "Actions": [
                            {
                                "CustomActionId": "open",
                                "Name": "Open",
                                "Trigger": "DATA_POINT_CLICK",
                                "ActionOperations": [
                                    {
                                        "URLOperation": {
                                            "URLTemplate": "https://example.com/<<region>>?for=<<$user>>",
                                            "URLTarget": "NEW_TAB",
                                        }
                                    }
                                ],
                            }
                        ],
                    }
                },
                {
                    "LineChartVisual": {
                        "VisualId": "line",
                        "ChartConfiguration": {
                            "FieldWells": {
                                "LineChartAggregatedFieldWells": {
                                    "Category": [{"DateDimensionField": {"FieldId": "day", "Column": column("day")}}]
                                }
                            }
                        },
                    }
                },
            ],
            "Layouts": [
                {
                    "Configuration": {
                        "GridLayout": {
                            "Elements": [
                                {
                                    "ElementId": "table",
                                    "ElementType": "VISUAL",
                                    "ColumnIndex": 0,
                                    "RowIndex": 0,
                                    "ColumnSpan": 18,
                                    "RowSpan": 10,
                                },
                                {
                                    "ElementId": "line",
                                    "ElementType": "VISUAL",
                                    "ColumnIndex": 18,
                                    "RowIndex": 0,
                                    "ColumnSpan": 18,
                                    "RowSpan": 10,
                                },
                            ]
                        }
                    }
                }
            ],
        }
    ],
    "FilterGroups": [
        {
            "FilterGroupId": "regions",
            "Filters": [{"CategoryFilter": {"FilterId": "region", "Column": column("region")}}],
            "ScopeConfiguration": {
                "SelectedSheets": {
                    "SheetVisualScopingConfigurations": [
                        {"SheetId": "one", "Scope": "SELECTED_VISUALS", "VisualIds": ["table"]}
                    ]
                }
            },
        }
    ],
}


def refusal(change: Callable[[Json], object]) -> str:
    """What is said of the definition after one change."""
    changed = copy.deepcopy(DEFINITION)
    change(changed)
    with pytest.raises(SandboxError) as refused:
        check_references(changed, {ARN: COLUMNS})
    return str(refused.value).removeprefix("the dashboard's definition: ")


def sheet(definition: Json) -> Json:
    found: Json = definition["Sheets"][0]
    return found


def chart(definition: Json, number: int = 0) -> Json:
    ((_, visual),) = sheet(definition)["Visuals"][number].items()
    found: Json = visual["ChartConfiguration"]
    return found


def wells(definition: Json) -> Json:
    found: Json = chart(definition)["FieldWells"]["TableAggregatedFieldWells"]
    return found


def places(definition: Json) -> list[Json]:
    found: list[Json] = sheet(definition)["Layouts"][0]["Configuration"]["GridLayout"]["Elements"]
    return found


def scope(definition: Json) -> Json:
    group = definition["FilterGroups"][0]["ScopeConfiguration"]["SelectedSheets"]
    found: Json = group["SheetVisualScopingConfigurations"][0]
    return found


def test_a_definition_whose_references_all_lead_somewhere_is_taken() -> None:
    check_references(DEFINITION, {ARN: COLUMNS})


class TestDataSets:
    def test_one_that_is_not_made(self) -> None:
        with pytest.raises(SandboxError, match=f"data set 'sales' is {ARN}, which is not made before the dashboard"):
            check_references(DEFINITION, {})

    def test_one_that_is_not_declared(self) -> None:
        found = refusal(
            lambda d: wells(d)["GroupBy"][0]["CategoricalDimensionField"]["Column"].update(DataSetIdentifier="x")
        )

        assert found == (
            "Sheets[0].Visuals[0].TableVisual.ChartConfiguration.FieldWells.TableAggregatedFieldWells.GroupBy[0]"
            ".CategoricalDimensionField.Column: data set 'x' is not declared"
        )

    def test_a_column_that_is_not_there(self) -> None:
        found = refusal(lambda d: wells(d)["Values"][0]["NumericalMeasureField"].update(Column=column("price")))

        assert found.endswith("Values[0].NumericalMeasureField.Column: data set 'sales' has no column 'price'")

    @pytest.mark.parametrize(
        ("role", "name", "wanted"),
        [
            ("NumericalMeasureField", "region", "DECIMAL or INTEGER"),
            ("NumericalDimensionField", "day", "DECIMAL or INTEGER"),
            ("CategoricalMeasureField", "units", "STRING"),
            ("CategoricalDimensionField", "amount", "STRING"),
            ("DateMeasureField", "region", "DATETIME"),
            ("DateDimensionField", "amount", "DATETIME"),
        ],
    )
    def test_a_field_of_a_column_of_another_type(self, role: str, name: str, wanted: str) -> None:
        found = refusal(lambda d: wells(d)["Values"].append({role: {"FieldId": "new", "Column": column(name)}}))

        assert found.endswith(f"column '{name}' is {COLUMNS[name]}; a {role} needs {wanted}")

    @pytest.mark.parametrize(
        ("role", "name", "wanted"),
        [
            ("CategoryFilter", "amount", "STRING"),
            ("NumericRangeFilter", "region", "DECIMAL or INTEGER"),
            ("NumericEqualityFilter", "day", "DECIMAL or INTEGER"),
            ("RelativeDatesFilter", "region", "DATETIME"),
            ("TimeRangeFilter", "units", "DATETIME"),
            ("TimeEqualityFilter", "amount", "DATETIME"),
        ],
    )
    def test_a_filter_of_a_column_of_another_type(self, role: str, name: str, wanted: str) -> None:
        filter_ = {role: {"FilterId": "new", "Column": column(name)}}

        found = refusal(lambda d: d["FilterGroups"][0]["Filters"].append(filter_))

        assert found == f"FilterGroups[0].Filters[1].{role}.Column: column '{name}' is {COLUMNS[name]}; " + (
            f"a {role} needs {wanted}"
        )

    def test_whole_numbers_are_numbers(self) -> None:
        changed = copy.deepcopy(DEFINITION)
        wells(changed)["Values"][0]["NumericalMeasureField"]["Column"] = column("units")

        check_references(changed, {ARN: COLUMNS})


class TestIds:
    def test_a_sheet_given_twice(self) -> None:
        assert "SheetId 'one' is given 2 times" in refusal(lambda d: d["Sheets"].append({"SheetId": "one"}))

    def test_a_visual_given_twice(self) -> None:
        line = DEFINITION["Sheets"][0]["Visuals"][1]

        assert "VisualId 'line' is given 2 times" in refusal(lambda d: sheet(d)["Visuals"].append(line))

    def test_a_filter_given_twice(self) -> None:
        group = DEFINITION["FilterGroups"][0]

        found = refusal(lambda d: d["FilterGroups"].append(group))

        assert found == "FilterGroupId 'regions' is given 2 times; FilterId 'region' is given 2 times"

    def test_a_field_given_twice_in_one_visual(self) -> None:
        found = refusal(lambda d: wells(d)["Values"].append(wells(d)["Values"][0]))

        assert found == "visual 'table' has field 'a' 2 times"


class TestFilters:
    def test_for_a_sheet_that_is_not_there(self) -> None:
        found = refusal(lambda d: scope(d).update(SheetId="two"))

        assert "filter group 'regions' is for sheet 'two', which is not there" in found
        assert "sheet 'one' has a control for filter 'region', which is not for that sheet" in found

    def test_for_a_visual_that_is_not_there(self) -> None:
        found = refusal(lambda d: scope(d).update(VisualIds=["table", "pie"]))

        assert found == "filter group 'regions' is for visual 'pie', which is not on its sheet"

    def test_for_selected_visuals_and_none(self) -> None:
        assert refusal(lambda d: scope(d).update(VisualIds=[])) == (
            "filter group 'regions' has scope SELECTED_VISUALS and 0 visuals"
        )

    def test_for_all_visuals_and_some(self) -> None:
        assert refusal(lambda d: scope(d).update(Scope="ALL_VISUALS")) == (
            "filter group 'regions' has scope ALL_VISUALS and 1 visuals"
        )

    def test_for_nothing(self) -> None:
        found = refusal(lambda d: d["FilterGroups"][0].update(ScopeConfiguration={}))

        assert "filter group 'regions' is for no sheet" in found

    def test_a_control_of_a_filter_that_is_not_there(self) -> None:
        found = refusal(lambda d: sheet(d)["FilterControls"][0]["Dropdown"].update(SourceFilterId="day"))

        assert found == "sheet 'one' has a control for filter 'day', which is not for that sheet"

    def test_a_filter_for_all_sheets_has_a_control_on_any(self) -> None:
        changed = copy.deepcopy(DEFINITION)
        changed["FilterGroups"][0]["ScopeConfiguration"] = {"AllSheets": {}}

        check_references(changed, {ARN: COLUMNS})


class TestPlaces:
    def test_of_something_that_is_not_there(self) -> None:
        found = refusal(lambda d: places(d)[1].update(ElementId="pie"))

        assert "sheet 'one' has a place for VISUAL 'pie', which is not there" in found
        assert "VISUAL 'line' has no place on its sheet" in found

    def test_beyond_the_grid(self) -> None:
        assert refusal(lambda d: places(d)[1].update(ColumnSpan=19)) == "'line' ends in column 37 of a grid of 36"

    def test_over_another(self) -> None:
        assert refusal(lambda d: places(d)[1].update(ColumnIndex=17)) == "'line' lies over 'table'"

    def test_of_a_control_that_is_not_there(self) -> None:
        found = refusal(lambda d: sheet(d).update(FilterControls=[]))

        assert found == "sheet 'one' has a place for FILTER_CONTROL 'regions', which is not there"


class TestFieldsOfAVisual:
    def test_sorted_by_one_it_does_not_have(self) -> None:
        found = refusal(lambda d: chart(d)["SortConfiguration"]["RowSort"][0]["FieldSort"].update(FieldId="price"))

        assert found == "visual 'table' names field 'price', which it does not have"

    def test_options_of_one_it_does_not_have(self) -> None:
        found = refusal(lambda d: chart(d)["FieldOptions"]["SelectedFieldOptions"][0].update(FieldId="price"))

        assert found == "visual 'table' names field 'price', which it does not have"

    def test_an_order_of_one_it_does_not_have(self) -> None:
        found = refusal(lambda d: chart(d)["FieldOptions"]["Order"].append("price"))

        assert found == "visual 'table' names field 'price', which it does not have"

    def test_a_link_with_a_column_it_does_not_show(self) -> None:
        def change(definition: Json) -> None:
            action = sheet(definition)["Visuals"][0]["TableVisual"]["Actions"][0]
            action["ActionOperations"][0]["URLOperation"]["URLTemplate"] = "https://example.com/<<day>>"

        assert refusal(change) == "visual 'table' links with column 'day', which it does not show"
