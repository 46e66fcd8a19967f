"""The former name of ``vizcore.methods.features``."""

import sys

from .methods import features

sys.modules[__name__] = features
