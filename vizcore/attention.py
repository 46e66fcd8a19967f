import sys

from .methods import attention

sys.modules[__name__] = attention  # the former name of vizcore.methods.attention
