import sys

from .methods import saliency

sys.modules[__name__] = saliency  # the former name of vizcore.methods.saliency
