"""TARGET → model: the forms in which a model can be named, one file each.

Each file has ``fits(text)`` and ``open_target(text, wanted)``; the first that fits is
taken.
"""

from fanin.cli.targets.error import TargetError as TargetError
from fanin.cli.targets.open import open_target as open_target
from fanin.cli.targets.opened import Opened as Opened
from fanin.cli.targets.opened import Wanted as Wanted
