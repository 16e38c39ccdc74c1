"""``python -m fanin``."""

import sys

from fanin.cli import main

sys.exit(main())
