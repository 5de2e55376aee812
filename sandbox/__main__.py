"""`python -m sandbox serve | deploy | demo | up`."""

import argparse
import sys

from sandbox.errors import SandboxError


def main() -> int:
    """Do what the command line asks; a SandboxError is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The cloud on a laptop.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser("serve", help="run the emulated AWS until Ctrl-C")
    serve.add_argument("--until-parent-ends", action="store_true", help="stop when the starting process is gone")
    # Their options are their own to parse.
    verbs.add_parser(
        "deploy", help="create a Pulumi program's resources in a running sandbox, or update them", add_help=False
    )
    verbs.add_parser("demo", help="serve, deploy, label photographs, report")
    verbs.add_parser("up", help="serve and deploy, and stay up until Ctrl-C", add_help=False)
    arguments, rest = parser.parse_known_args()
    if rest and arguments.verb not in ("deploy", "up"):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return _run(arguments, rest)
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "sandbox":
            raise
        print(f"sandbox: the Python package {error.name} is not installed; `make sandbox` sets it up", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace, rest: list[str]) -> int:
    # Imported here: each verb needs another half of the libraries.
    if arguments.verb == "serve":
        from sandbox import server

        return server.main(until_parent_ends=arguments.until_parent_ends)
    if arguments.verb == "deploy":
        from sandbox import deploy

        return deploy.main(rest)
    if arguments.verb == "demo":
        from sandbox import demo

        return demo.main()
    from sandbox import up

    return up.main(rest)


if __name__ == "__main__":
    sys.exit(main())
