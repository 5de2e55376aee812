"""What a QuickSight dashboard's definition refers to, which no schema can check: columns, fields, sheets, visuals."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.errors import SandboxError

Json = Mapping[str, Any]

DataSets = Mapping[str, Mapping[str, str]]
"""ARN of a data set -> name and type of each of its columns."""

_NUMBERS = frozenset({"INTEGER", "DECIMAL"})
_FITTING_TYPES = {
    "CategoricalDimensionField": frozenset({"STRING"}),
    "CategoricalMeasureField": frozenset({"STRING"}),
    "CategoryFilter": frozenset({"STRING"}),
    "DateDimensionField": frozenset({"DATETIME"}),
    "DateMeasureField": frozenset({"DATETIME"}),
    "NumericEqualityFilter": _NUMBERS,
    "NumericRangeFilter": _NUMBERS,
    "NumericalDimensionField": _NUMBERS,
    "NumericalMeasureField": _NUMBERS,
    "RelativeDatesFilter": frozenset({"DATETIME"}),
    "TimeEqualityFilter": frozenset({"DATETIME"}),
    "TimeRangeFilter": frozenset({"DATETIME"}),
}
"""Types a column may have where a definition uses it in this role (QuickSight API reference, each type's own page)."""

_GRID_COLUMNS = 36
_COLUMN_OF_A_LINK = re.compile(r"<<(?!\$)(.+?)>>")


def check_references(definition: Json, data_sets: DataSets) -> None:
    """Check that everything a definition names is there, fits, and is named once.

    Raises
    ------
    SandboxError
        Naming each reference that leads nowhere, by its path.
    """
    problems = [
        *_data_set_problems(definition, data_sets),
        *_id_problems(definition),
        *_scope_problems(definition),
        *_control_problems(definition),
    ]
    for sheet in definition.get("Sheets", []):
        problems += _sheet_problems(sheet)
        for visual in sheet.get("Visuals", []):
            problems += _visual_problems(visual)
    if problems:
        raise SandboxError("the dashboard's definition: " + "; ".join(problems))


def _data_set_problems(definition: Json, data_sets: DataSets) -> Iterator[str]:
    """Undeclared data sets, data sets that are not there, and columns that are missing or of another type."""
    declared = {d["Identifier"]: d["DataSetArn"] for d in definition["DataSetIdentifierDeclarations"]}
    for identifier, arn in declared.items():
        if arn not in data_sets:
            yield f"data set {identifier!r} is {arn}, which is not made before the dashboard"
    calculated = {(f["DataSetIdentifier"], f["Name"]) for f in definition.get("CalculatedFields", [])}
    for path, role, column in _columns(definition, "", ""):
        identifier, name = column["DataSetIdentifier"], column["ColumnName"]
        if identifier not in declared:
            yield f"{path}: data set {identifier!r} is not declared"
        elif (identifier, name) not in calculated:
            type_ = data_sets.get(declared[identifier], {}).get(name)
            fitting = _FITTING_TYPES.get(role)
            if type_ is None:
                yield f"{path}: data set {identifier!r} has no column {name!r}"
            elif fitting and type_ not in fitting:
                yield f"{path}: column {name!r} is {type_}; a {role} needs {' or '.join(sorted(fitting))}"


def _columns(node: Any, path: str, role: str) -> Iterator[tuple[str, str, Json]]:
    """Every column a definition names, with its path and the object it is a column of."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _columns(item, f"{path}[{index}]", role)
    elif isinstance(node, dict):
        if "ColumnName" in node and "DataSetIdentifier" in node:
            yield path, role, node
        for key, item in node.items():
            yield from _columns(item, f"{path}.{key}".lstrip("."), role if key == "Column" else key)


def _id_problems(definition: Json) -> Iterator[str]:
    """Ids that are given twice in the dashboard."""
    for key in ("SheetId", "VisualId", "FilterGroupId", "FilterId", "FilterControlId", "CustomActionId"):
        # A scope repeats the ids of what it is about.
        given = Counter(_values(definition, key, skip="ScopeConfiguration"))
        yield from (f"{key} {value!r} is given {count} times" for value, count in given.items() if count > 1)


def _scope_problems(definition: Json) -> Iterator[str]:
    """Filters for sheets and visuals that are not there."""
    visuals = {s["SheetId"]: set(_values(s.get("Visuals", []), "VisualId")) for s in definition.get("Sheets", [])}
    for group in definition.get("FilterGroups", []):
        name = f"filter group {group['FilterGroupId']!r}"
        if not group["ScopeConfiguration"]:
            yield f"{name} is for no sheet"
        for choice in _chosen_sheets(group):
            sheet_id, wanted = choice["SheetId"], choice.get("VisualIds", [])
            if sheet_id not in visuals:
                yield f"{name} is for sheet {sheet_id!r}, which is not there"
            if (choice["Scope"] == "SELECTED_VISUALS") != bool(wanted):
                yield f"{name} has scope {choice['Scope']} and {len(wanted)} visuals"
            for visual_id in sorted(set(wanted) - visuals.get(sheet_id, set())):
                yield f"{name} is for visual {visual_id!r}, which is not on its sheet"


def _control_problems(definition: Json) -> Iterator[str]:
    """Controls on a sheet for filters that are not for that sheet."""
    for sheet in definition.get("Sheets", []):
        filters = {
            filter_id
            for group in definition.get("FilterGroups", [])
            if "AllSheets" in group["ScopeConfiguration"]
            or sheet["SheetId"] in [choice["SheetId"] for choice in _chosen_sheets(group)]
            for filter_id in _values(group["Filters"], "FilterId")
        }
        for filter_id in _values(sheet.get("FilterControls", []), "SourceFilterId"):
            if filter_id not in filters:
                yield f"sheet {sheet['SheetId']!r} has a control for filter {filter_id!r}, which is not for that sheet"


def _chosen_sheets(filter_group: Json) -> list[Json]:
    selected = filter_group["ScopeConfiguration"].get("SelectedSheets", {})
    return list(selected.get("SheetVisualScopingConfigurations", []))


def _sheet_problems(sheet: Json) -> Iterator[str]:
    """Places for elements that are not there, elements without a place, and places that do not fit."""
    there = {
        "VISUAL": set(_values(sheet.get("Visuals", []), "VisualId")),
        "FILTER_CONTROL": set(_values(sheet.get("FilterControls", []), "FilterControlId")),
    }
    placed: dict[str, set[str]] = {kind: set() for kind in there}
    for layouts in (sheet.get("Layouts", []), sheet.get("SheetControlLayouts", [])):
        elements = [e for layout in layouts for e in layout["Configuration"]["GridLayout"]["Elements"]]
        for element in elements:
            kind, id_ = element["ElementType"], element["ElementId"]
            if id_ not in there.get(kind, set()):
                yield f"sheet {sheet['SheetId']!r} has a place for {kind} {id_!r}, which is not there"
            else:
                placed[kind].add(id_)
        yield from _grid_problems(elements)
    for kind, ids in there.items():
        yield from (f"{kind} {id_!r} has no place on its sheet" for id_ in sorted(ids - placed[kind]))


def _grid_problems(elements: list[Json]) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for element in elements:
        id_ = element["ElementId"]
        if "ColumnIndex" not in element or "RowIndex" not in element:
            continue  # QuickSight finds a place itself
        columns = range(element["ColumnIndex"], element["ColumnIndex"] + element["ColumnSpan"])
        rows = range(element["RowIndex"], element["RowIndex"] + element["RowSpan"])
        if columns.stop > _GRID_COLUMNS:
            yield f"{id_!r} ends in column {columns.stop} of a grid of {_GRID_COLUMNS}"
        others = {taken[cell] for row in rows for column in columns if (cell := (row, column)) in taken}
        yield from (f"{id_!r} lies over {other!r}" for other in sorted(others))
        taken.update({(row, column): id_ for row in rows for column in columns})


def _visual_problems(visual: Json) -> Iterator[str]:
    """Fields of one visual that are given twice, or named and not given; columns of links that no field shows."""
    ((_, body),) = visual.items()
    chart = body.get("ChartConfiguration", {})
    given = Counter(_values(chart.get("FieldWells", {}), "FieldId"))
    name = f"visual {body['VisualId']!r}"
    yield from (f"{name} has field {field!r} {count} times" for field, count in given.items() if count > 1)
    outside = {key: part for key, part in chart.items() if key != "FieldWells"}
    options = chart.get("FieldOptions", {})
    named = {*_values(outside, "FieldId"), *options.get("Order", [])}
    yield from (f"{name} names field {field!r}, which it does not have" for field in sorted(named - given.keys()))
    shown = set(_values(chart.get("FieldWells", {}), "ColumnName"))
    for template in _values(body.get("Actions", []), "URLTemplate"):
        for column in _COLUMN_OF_A_LINK.findall(template):
            if column not in shown:
                yield f"{name} links with column {column!r}, which it does not show"


def _values(node: Any, key: str, skip: str = "") -> Iterator[str]:
    """Every value a key has, at any depth."""
    if isinstance(node, list):
        for item in node:
            yield from _values(item, key, skip)
    elif isinstance(node, dict):
        for name, item in node.items():
            if name == key and isinstance(item, str):
                yield item
            elif name != skip:
                yield from _values(item, key, skip)
