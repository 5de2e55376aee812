"""The Glue table over the files record-predictions writes, and the view that shows each image once."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components.athena_view import athena_view
from custom_labels_batch.components.columns import Column
from custom_labels_batch.components.query_files import view_query

PREDICTIONS_PREFIX = "predictions/"
"""Where record-predictions writes, below the analytics bucket."""

TABLE_NAME = "prediction_rows"
VIEW_NAME = "rekognition_customlabels_analytics"

SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
"""The Hive JSON SerDe. Not OpenX's: its results can be non-deterministic, and Athena's user guide ("OpenX JSON
SerDe") itself advises this one instead."""

FIRST_DAY = "2026-01-01"
"""Before this was first deployed; older images are kept here too. A query that names no day lists every day since."""

COLUMNS = (
    Column("image_id", "string", "The same for every prediction of one version of an image"),
    Column("image_key", "string", "The image's key in the source bucket"),
    Column("image_uri", "string", "Where the image is now, in the final bucket"),
    Column("source_bucket", "string", "The bucket the image was uploaded to"),
    Column("label", "string", "Null for an image without labels and for a rejected one"),
    Column("confidence", "double", "0 to 100"),
    Column(
        "bounding_box",
        "struct<left:double,top:double,width:double,height:double>",
        "Fractions of the image's width and height; null for a label about the whole image",
    ),
    Column("label_number", "int", "Which of the prediction's labels this is, from 0; null without labels"),
    Column("model_version", "string", "The model version that was asked; null if none was"),
    Column("status", "string", "labelled or rejected"),
    Column("reason_code", "string", "Why the image was rejected, for programs"),
    Column("reason_message", "string", "Why the image was rejected, for people"),
    Column("size", "bigint", "Bytes of the image"),
    Column("uploaded_at", "timestamp", "UTC"),
    Column("processed_at", "timestamp", "UTC"),
)
PARTITION = Column("dt", "string", f"The UTC day of the upload, such as 2026-11-22; {FIRST_DAY} at least")

_OF_THE_BOX = "A fraction (0 to 1) of the image's size; null for a label about the whole image"
_BY_NAME = {column.name: column for column in (*COLUMNS, PARTITION)}
VIEW_COLUMNS = (
    Column("image", "string", _BY_NAME["image_key"].comment),
    *(_BY_NAME[name] for name in ("label", "confidence", "image_id", "image_uri", "source_bucket", "label_number")),
    *(Column(name, "double", _OF_THE_BOX) for name in ("box_left", "box_top", "box_width", "box_height")),
    *(_BY_NAME[name] for name in ("model_version", "status", "reason_code", "reason_message")),
    *(_BY_NAME[name] for name in ("size", "uploaded_at", "processed_at", "dt")),
)
"""What the view's query selects, in its order. The box is in columns of its own: Athena's clients, QuickSight among
them, do not read rows within rows."""


class PredictionsTable(pulumi.ComponentResource):
    """A Glue database with the predictions' rows as a table, and the view that shows each image once."""

    database: aws.glue.CatalogDatabase
    table: aws.glue.CatalogTable
    view: aws.glue.CatalogTable

    def __init__(
        self,
        name: str,
        database_name: pulumi.Input[str],
        bucket_name: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("custom-labels-batch:index:PredictionsTable", name, None, opts)
        # Names are explicit, since Athena takes no hyphens in them: the old one has to go first.
        child = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        self.database = aws.glue.CatalogDatabase(
            name, name=database_name, description="What the model found in each image", opts=child
        )
        location = bucket_name.apply(lambda bucket: f"s3://{bucket}/{PREDICTIONS_PREFIX}")
        self.table = aws.glue.CatalogTable(
            f"{name}-rows",
            name=TABLE_NAME,
            database_name=self.database.name,
            description=f"Every prediction as it was delivered, once or more often; read {VIEW_NAME} instead",
            table_type="EXTERNAL_TABLE",
            partition_keys=[_catalog_column(PARTITION)],
            parameters={"EXTERNAL": "TRUE", "classification": "json", **_projection(location)},
            storage_descriptor={
                "location": location,
                "columns": _catalog_columns(COLUMNS),
                "input_format": "org.apache.hadoop.mapred.TextInputFormat",
                "output_format": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "ser_de_info": {"name": "json", "serialization_library": SERDE},
            },
            opts=child,
        )
        query = view_query(VIEW_NAME)
        self.view = athena_view(
            f"{name}-view",
            VIEW_NAME,
            self.database.name,
            query.sql,
            VIEW_COLUMNS,
            description=f"{query.title}. {query.description}",
            # Its query reads the table.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True, depends_on=[self.table]),
        )
        self.register_outputs({"database": self.database.name, "view": self.view.name})


def _projection(location: pulumi.Output[str]) -> dict[str, pulumi.Input[str]]:
    """Partition projection: Athena works the days out, and nothing has to register them.

    Athena generates the days in UTC (its user guide, "Supported types for partition projection"), as dt is: NOW
    is never behind a row.
    """
    return {
        "projection.enabled": "true",
        f"projection.{PARTITION.name}.type": "date",
        f"projection.{PARTITION.name}.format": "yyyy-MM-dd",
        f"projection.{PARTITION.name}.range": f"{FIRST_DAY},NOW",
        f"projection.{PARTITION.name}.interval": "1",
        f"projection.{PARTITION.name}.interval.unit": "DAYS",
        "storage.location.template": location.apply(lambda prefix: f"{prefix}dt=${{dt}}/"),
    }


def _catalog_columns(columns: Sequence[Column]) -> list[aws.glue.CatalogTableStorageDescriptorColumnArgsDict]:
    return [{"name": column.name, "type": column.type, "comment": column.comment} for column in columns]


def _catalog_column(column: Column) -> aws.glue.CatalogTablePartitionKeyArgsDict:
    return {"name": column.name, "type": column.type, "comment": column.comment}
