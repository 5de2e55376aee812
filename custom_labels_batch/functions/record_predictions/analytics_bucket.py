"""The analytics bucket: where the rows are kept."""

from typing import TYPE_CHECKING

from .row_files import RowFile

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class AnalyticsBucket:
    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self._name = name

    def put(self, file: RowFile) -> None:
        """Write a file, over the one with the same rows if there is one.

        Raises
        ------
        ClientError, BotoCoreError
        """
        self._s3.put_object(Bucket=self._name, Key=file.key, Body=file.body, ContentType="application/gzip")
