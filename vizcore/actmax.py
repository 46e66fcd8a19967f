"""The former name of ``vizcore.imagine.maximise``."""

import sys

from .imagine import maximise

sys.modules[__name__] = maximise
