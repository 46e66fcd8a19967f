"""The former name of ``vizcore.networks.load``."""

import sys

from .networks import load

sys.modules[__name__] = load
