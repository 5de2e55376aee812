"""What `clb plan` prints, in documents: `python -m docs.plan_outputs` writes it there anew."""

import contextlib
import io
import re
import shlex
from pathlib import Path

from custom_labels_batch.cli.app import main

_HERE = Path(__file__).parent
DOCUMENTS = (_HERE / "cost.md", _HERE / "scaling.md", _HERE.parent / "README.md")
_BLOCK = re.compile(r"(?<=```console\n)(\$ (?:\.venv/bin/)?clb )(plan .+)\n(?:.*\n)*?(?=```)")


def renewed(text: str) -> str:
    """A document with every block's output as the command prints it now."""
    return _BLOCK.sub(lambda block: f"{block[1]}{block[2]}\n{_printed(block[2])}", text)


def _printed(arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        main(shlex.split(arguments))
    return "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(renewed(document.read_text(encoding="utf-8")), encoding="utf-8")
