"""The former name of ``vizcore.methods.cam``."""

import sys

from .methods import cam

sys.modules[__name__] = cam
