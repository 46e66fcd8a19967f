"""The former name of ``vizcore.methods.attention``."""

import sys

from .methods import attention

sys.modules[__name__] = attention
