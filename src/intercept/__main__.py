"""`python -m intercept` is the command `intercept`."""

import sys

from .cli import main

sys.exit(main())
