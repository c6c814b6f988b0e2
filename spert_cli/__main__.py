"""`python -m spert_cli` is the command `spert`."""

import sys

from spert_cli.app import main

sys.exit(main())
