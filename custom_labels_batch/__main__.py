"""`clb`, which is also `python -m custom_labels_batch`: the operator's command line."""

import sys


def main() -> int:
    """Run it, or say what brings the libraries that it needs beside those of the components."""
    try:
        from custom_labels_batch.cli import app
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == __package__:
            raise
        print(f"clb needs {error.name}; pip install 'custom-labels-batch[cli]' brings it", file=sys.stderr)
        return 1
    return app.main()


if __name__ == "__main__":
    sys.exit(main())
