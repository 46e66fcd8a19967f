"""The former name of ``vizcore.imagine.crosseval``."""

import sys

from .imagine import crosseval

sys.modules[__name__] = crosseval
