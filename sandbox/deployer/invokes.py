"""Provider functions a program may call, answered without asking anyone."""

from sandbox.deployer.model import Properties
from sandbox.errors import SandboxError


def answer(token: str, arguments: Properties, region: str, account_id: str) -> Properties:
    """Answer a provider function as AWS's commercial partition would.

    Raises
    ------
    SandboxError
        For a function that is not known here: never a made-up answer.
    """
    answers: dict[str, Properties] = {
        "aws:index/getCallerIdentity:getCallerIdentity": {
            "accountId": account_id,
            "arn": f"arn:aws:iam::{account_id}:root",
            "id": account_id,
            "userId": account_id,
        },
        "aws:index/getPartition:getPartition": {
            "dnsSuffix": "amazonaws.com",
            "id": "aws",
            "partition": "aws",
            "reverseDnsPrefix": "com.amazonaws",
        },
        "aws:index/getRegion:getRegion": {
            "description": f"The one region here, {region}",
            "endpoint": f"ec2.{region}.amazonaws.com",
            "id": region,
            "name": region,
            "region": region,
        },
    }
    if token not in answers:
        raise SandboxError(f"Function {token} is not one the sandbox answers: {', '.join(sorted(answers))}.")
    asked = arguments.get("region", region)
    if asked != region:
        raise SandboxError(f"{token}: region {asked}; the sandbox has {region} only.")
    return answers[token]
