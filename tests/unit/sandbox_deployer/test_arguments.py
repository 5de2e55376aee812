"""Reading a resource's inputs: what nobody reads is named."""

from sandbox.deployer.arguments import Arguments

TABLE = {"name": "rows", "storage": {"location": "s3://rows/", "columns": [{"name": "dt", "type": "string"}]}}


def test_what_is_read_as_it_is_can_be_read_again_by_its_name() -> None:
    arguments = Arguments(TABLE)

    assert arguments.renamed({"name": "Name"}) == {"Name": "rows"}
    assert arguments["name"] == arguments.plain("name") == "rows"


def test_what_nobody_reads_inside_is_named() -> None:
    arguments = Arguments(TABLE)
    _ = arguments["storage"]["columns"][0]["name"]

    assert list(arguments.unread()) == ["name", "storage.location", "storage.columns[0].type"]


def test_nothing_inside_is_unread_after_a_property_was_read_whole() -> None:
    arguments = Arguments(TABLE)
    arguments.plain("storage")
    arguments.skip("name")

    assert list(arguments.unread()) == []
