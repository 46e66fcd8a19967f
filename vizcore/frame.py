"""The former name of ``vizcore.pictures.frame``."""

import sys

from .pictures import frame

sys.modules[__name__] = frame
