import sys

from .methods import cam

sys.modules[__name__] = cam  # the former name of vizcore.methods.cam
