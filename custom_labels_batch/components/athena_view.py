"""A view of Athena's, written into the Glue catalog as Athena itself writes one."""

import base64
import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components.columns import Column

CATALOG = "awsdatacatalog"
"""Athena's name for the account's Glue catalog."""


def athena_view(
    resource_name: str,
    name: str,
    database_name: pulumi.Output[str],
    sql: str,
    columns: Sequence[Column],
    description: str,
    opts: pulumi.ResourceOptions,
) -> aws.glue.CatalogTable:
    """Make a view that Athena takes for one of its own.

    Parameters
    ----------
    sql
        One SELECT; tables without a database are looked up in the view's.
    columns
        Exactly what it selects, in its order: where a name or a type differs, Athena calls the view stale and
        refuses to read it.

    Notes
    -----
    The form is that of Trino, which Athena's engine is made from (`ViewReaderUtil` in its Hive connector: the table
    type, both parameters, the wrapped base64). A view without a SerDe block is refused too ("Table storage descriptor
    is missing SerDe info", hashicorp/terraform-provider-aws issue 28517); its values are never read, and Glue takes
    them as they are in the module iconara/terraform-aws-athena-view.
    """
    return aws.glue.CatalogTable(
        resource_name,
        name=name,
        database_name=database_name,
        description=description,
        table_type="VIRTUAL_VIEW",
        parameters={"presto_view": "true", "comment": "Presto View"},
        storage_descriptor={
            "columns": [{"name": column.name, "type": column.type, "comment": column.comment} for column in columns],
            "ser_de_info": {"name": "-", "serialization_library": "-"},
        },
        view_original_text=database_name.apply(lambda database: original_text(sql, database, columns)),
        view_expanded_text="/* Presto View */",
        opts=opts,
    )


def original_text(sql: str, database_name: str, columns: Sequence[Column]) -> str:
    """The view's query and columns, in the form in which the engine keeps them in the catalog."""
    view = {
        "originalSql": sql,
        "catalog": CATALOG,
        "schema": database_name,
        "columns": [{"name": column.name, "type": column.engine_type} for column in columns],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(view).encode()).decode()} */"
