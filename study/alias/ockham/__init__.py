"""`import ockham` is `import study`: the command's name works in Python as well.

import ockham
handle = ockham.load("redundancy")
"""

import sys
from typing import TYPE_CHECKING

import study

if TYPE_CHECKING:
    from study import *  # noqa: F403 - what it is, for editors

sys.modules[__name__] = study
