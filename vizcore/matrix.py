"""The former name of ``vizcore.drawing.matrix``."""

import sys

from .drawing import matrix

sys.modules[__name__] = matrix
