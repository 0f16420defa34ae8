"""`python -m whence` is the command `whence`."""

import sys

from whence.cli.main import main

sys.exit(main())
