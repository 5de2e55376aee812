"""`python -m cli`: the operator's command line."""

import sys

from cli.app import main

sys.exit(main())
