"""What the documents say, held against the code."""

import re
from pathlib import Path

import pytest

from docs import tables
from docs.__main__ import MADE, made, parts
from docs.generated import Part, parts_of
from sandbox.deploy import REPOSITORY
from settings import Settings

# The other tests of what a changed setting changes record the same graphs: one worker does.
GROUPS = {"settings changes": [pytest.mark.xdist_group("settings changes")]}


@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=GROUPS.get(part.name, []), id=str(part)) for part in parts()]
)
def test_a_generated_part_is_as_the_code_is(part: Part) -> None:
    if difference := part.difference(made(part)):
        pytest.fail(f"`make docs` writes it anew\n{difference}", pytrace=False)


def test_everything_that_is_made_is_shown() -> None:
    assert MADE.keys() - {part.name for part in parts()} == set()


class TestPart:
    TEXT = "before\n<!-- make docs: one -->\nold\n<!-- /make docs -->\n`<!-- make docs: name -->` is a marker\n"

    @pytest.fixture
    def document(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr("docs.generated.REPOSITORY", tmp_path)
        document = tmp_path / "document.md"
        document.write_text(self.TEXT, encoding="utf-8")
        return document

    def test_is_replaced_between_its_markers_alone(self, document: Path) -> None:
        (part,) = parts_of(document)

        part.write("new\n")

        assert document.read_text(encoding="utf-8") == self.TEXT.replace("old", "new")

    def test_that_differs_says_how(self, document: Path) -> None:
        (part,) = parts_of(document)

        assert part.difference("old\n") == ""
        assert part.difference("new\n").splitlines()[-2:] == ["-old", "+new"]

    @pytest.mark.parametrize(
        "more",
        [
            "<!-- make docs: two -->\n",
            "<!-- /make docs -->\n",
            "<!-- make docs: two -->\n<!-- make docs: three -->\n<!-- /make docs -->\n",
            "<!-- make docs: one -->\n<!-- /make docs -->\n",
        ],
    )
    def test_without_its_own_two_markers_is_refused(self, document: Path, more: str) -> None:
        document.write_text(self.TEXT + more, encoding="utf-8")

        with pytest.raises(ValueError, match=r"document\.md: .* not in pairs"):
            list(parts_of(document))

    def test_of_a_name_that_nothing_makes_is_refused(self, document: Path) -> None:
        (part,) = parts_of(document)

        with pytest.raises(ValueError, match=r"document\.md: one: there is no such part; there are: settings"):
            made(part)


def test_every_setting_is_in_one_group() -> None:
    assert sorted(name for names in tables.GROUPS.values() for name in names) == sorted(Settings.model_fields)


def test_every_stack_output_is_documented() -> None:
    program = (REPOSITORY / "__main__.py").read_text(encoding="utf-8")
    document = (REPOSITORY / "docs" / "deploy.md").read_text(encoding="utf-8")
    outputs = re.findall(r'pulumi\.export\("(\w+)"', program)
    assert outputs
    assert [output for output in outputs if f"`{output}`" not in document] == []
