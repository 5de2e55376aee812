"""Rules every component's resources share: names that fit, and tags."""

import hashlib
import re
from collections.abc import Mapping

import pulumi

from custom_labels_batch.components.inputs import InputError

MAX_NAME_LENGTH = 30
"""Pulumi adds 8 characters, and IAM roles, functions and rules end at 64: 25 are left for what the parts add."""

_NAME = re.compile(r"[a-z][a-z0-9-]*")


def check_name(name: str) -> None:
    """Refuse a component name from which AWS names could not be made.

    Raises
    ------
    InputError
        Names the value, what is allowed, and an example.
    """
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        raise InputError(
            f"The component name {name!r} is not allowed: at most {MAX_NAME_LENGTH} lower-case letters, digits and "
            "hyphens, beginning with a letter, such as 'surfaces'"
        )


def stack_name(project: str, stack: str, separator: str, longest: int) -> str:
    """A physical name of a stack that no other stack has, where AWS takes no automatic one.

    Lower-case letters, digits and one separator. Project and stack names may also have capitals, dots and underscores
    (Pulumi's documentation, "Stacks"), and be 100 characters long: what is told apart by those alone, or is too long,
    ends in a hash. A project's hyphens need none: the stack is what follows the last separator.
    """
    plain = re.sub("[^a-z0-9]+", separator, f"{project}-{stack}".lower()).strip(separator)
    tells_apart = re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", project) and re.fullmatch("[a-z0-9]+", stack)
    if tells_apart and len(plain) <= longest:
        return plain
    digest = hashlib.sha256(f"{project}/{stack}".encode()).hexdigest()[:8]
    return f"{plain[: longest - len(digest) - 1]}{separator}{digest}".strip(separator)


def with_tags(opts: pulumi.ResourceOptions | None, tags: Mapping[str, pulumi.Input[str]]) -> pulumi.ResourceOptions:
    """Options that give every resource below a component its tags; a resource's own tags win.

    Written once here instead of at each resource, and not as the provider's default tags: an explicit provider
    would not see the region and profile of the stack's configuration.
    """

    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not hasattr(type(args.resource), "tags"):
            return None
        merged = pulumi.Output.all({**tags}, args.props.get("tags") or {}).apply(lambda both: {**both[0], **both[1]})
        return pulumi.ResourceTransformationResult({**args.props, "tags": merged}, args.opts)

    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[tag]))
