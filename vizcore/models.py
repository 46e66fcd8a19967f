import sys

from .networks import load

sys.modules[__name__] = load  # the former name of vizcore.networks.load
