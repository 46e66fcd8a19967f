import sys

from .imagine import maximise

sys.modules[__name__] = maximise  # the former name of vizcore.imagine.maximise
