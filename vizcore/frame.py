import sys

from .pictures import frame

sys.modules[__name__] = frame  # the former name of vizcore.pictures.frame
