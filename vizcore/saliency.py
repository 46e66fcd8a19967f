"""The former name of ``vizcore.methods.saliency``."""

import sys

from .methods import saliency

sys.modules[__name__] = saliency
