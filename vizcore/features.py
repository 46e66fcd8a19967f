import sys

from .methods import features

sys.modules[__name__] = features  # the former name of vizcore.methods.features
