import sys

from .imagine import crosseval

sys.modules[__name__] = crosseval  # the former name of vizcore.imagine.crosseval
