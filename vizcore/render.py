"""The former name of ``vizcore.drawing.render``."""

import sys

from .drawing import render

sys.modules[__name__] = render
