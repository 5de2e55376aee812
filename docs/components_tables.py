"""The tables of docs/components.md, made from the package's schema: `python -m docs.components_tables` prints them."""

import json
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).resolve().parents[1] / "plugin" / "schema.json"
INPUTS = "| input | type | what it is |\n| --- | --- | --- |\n"
KEYS = INPUTS.replace("input", "key")
OUTPUTS = "| output | what it is |\n| --- | --- |\n"


def tables() -> str:
    """Every component, with its inputs and outputs, as Markdown."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    parts = [_component(token.rpartition(":")[2], found) for token, found in schema["resources"].items()]
    for token, found in schema["types"].items():
        rows = "".join(_input(name, found, name in found["required"]) for name in found["properties"])
        parts.append(f"### {token.rpartition(':')[2]}\n\n{found['description']}\n\n{KEYS}{rows}")
    return "\n".join(parts)


def _component(name: str, found: dict[str, Any]) -> str:
    inputs = {"properties": found["inputProperties"]}
    rows = "".join(_input(key, inputs, key in found["requiredInputs"]) for key in found["inputProperties"])
    results = "".join(f"| `{key}` | {output['description']} |\n" for key, output in found["properties"].items())
    return f"### {name}\n\n{found['description']}\n\n{INPUTS}{rows}\n{OUTPUTS}{results}"


def _input(name: str, found: dict[str, Any], required: bool) -> str:
    wanted = found["properties"][name]
    return f"| `{name}`{' **required**' if required else ''} | {_type(wanted)} | {wanted['description']} |\n"


def _type(wanted: dict[str, Any]) -> str:
    """A type as people say it; `*` where it may be an output."""
    if wanted.get("$ref") == "pulumi.json#/Any":
        return "anything"
    if "$ref" in wanted:
        name = wanted["$ref"].rpartition(":")[2]
        return f"[{name}](#{name.lower()})"
    if items := wanted.get("items"):
        return f"list of {_type(items)}"
    if inside := wanted.get("additionalProperties"):
        return f"map to {_type(inside)}"
    return f"{wanted['type']}{'' if wanted.get('plain') else ' *'}"


if __name__ == "__main__":
    print(tables(), end="")
