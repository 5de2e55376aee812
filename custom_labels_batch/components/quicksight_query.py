"""The query behind the dashboard's data set: the analytics view's rows, each with a link to its image."""

from collections.abc import Mapping

from custom_labels_batch.components.quicksight_definition import COLUMNS

LINK = "link"
"""The one column that is not the view's own: the address of the image's copy in the S3 console."""

TYPES = {
    "string": "STRING",
    "int": "INTEGER",
    "bigint": "INTEGER",
    "double": "DECIMAL",
    "date": "DATETIME",
    "timestamp": "DATETIME",
}
"""QuickSight's type for each Glue type. A struct has none and is left out (QuickSight user guide, "Supported data
types and values")."""

S3_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Where the console is, by partition."""


def data_set_columns(view_columns: Mapping[str, str]) -> dict[str, str]:
    """Name -> QuickSight type of the data set's columns, in order.

    Parameters
    ----------
    view_columns
        Name -> Glue type of the view's columns.

    Raises
    ------
    ValueError
        Naming every column the dashboard uses that the view lacks, or has with another type.
    """
    found = {name: TYPES[type_] for name, type_ in view_columns.items() if type_ in TYPES}
    found[LINK] = "STRING"
    if wrong := [name for name, type_ in COLUMNS.items() if found.get(name) != type_]:
        told = ", ".join(f"{name} ({COLUMNS[name]}; the view has {view_columns.get(name, 'none')})" for name in wrong)
        raise ValueError(f"The dashboard needs these columns of the view: {told}")
    return found


def data_set_query(database: str, view: str, columns: Mapping[str, str], partition: str, region: str) -> str:
    """Athena SQL for the columns of `data_set_columns`.

    Raises
    ------
    ValueError
        In a partition whose console is not known.
    """
    if partition not in S3_CONSOLES:
        raise ValueError(
            f"QuickSight's links are not known in the partition {partition!r}; unset quickSightPrincipalArn"
        )
    own = ",\n  ".join(_quoted(name) for name in columns if name != LINK)
    return (
        f"SELECT\n  {own},\n  {_link(S3_CONSOLES[partition], region)} AS {_quoted(LINK)}\n"
        f"FROM {_quoted(database)}.{_quoted(view)}"
    )


def _link(console: str, region: str) -> str:
    """The console's page of the object that `image_uri` (s3://BUCKET/KEY) names.

    url_encode writes a space as +, which is a plus sign to some who read it; a real plus sign is %2B by then.
    """
    bucket = "split_part(image_uri, '/', 3)"
    key = f"substr(image_uri, length('s3://') + length({bucket}) + 2)"
    return (
        f"'https://{region}.{console}/s3/object/' || {bucket} || '?region={region}&prefix='"
        f" || replace(url_encode({key}), '+', '%20')"
    )


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
