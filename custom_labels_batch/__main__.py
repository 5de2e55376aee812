"""`python -m custom_labels_batch`: the operator's command line."""

import sys

from custom_labels_batch.cli.app import main

sys.exit(main())
