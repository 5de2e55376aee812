"""What the stack's saved queries answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.deployer.cloud import Cloud
from sandbox.queries import Answer, run_query


@dataclass(frozen=True)
class SavedQuery:
    """A query saved in a workgroup, with its answer."""

    name: str
    description: str
    answer: Answer


def ask_saved_queries(cloud: Cloud, outputs: Mapping[str, Any]) -> list[SavedQuery]:
    """Run every query saved in the stack's workgroup, by name; raises as `run_query` does."""
    athena, workgroup = cloud.athena, outputs["athenaWorkgroup"]
    ids = athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]
    saved = [athena.get_named_query(NamedQueryId=query_id)["NamedQuery"] for query_id in ids]
    return [
        SavedQuery(query["Name"], query.get("Description", ""), run_query(cloud, outputs, query["QueryString"]))
        for query in sorted(saved, key=lambda query: query["Name"])
    ]


def images_recorded(cloud: Cloud, outputs: Mapping[str, Any]) -> int:
    """Images in the view, which shows each once; raises as `run_query` does."""
    answer = run_query(cloud, outputs, f"SELECT count(DISTINCT image_id) FROM {outputs['athenaTable']}")  # noqa: S608
    return int(str(answer.rows[0][0]))
