import sys

from .imagine import augment

sys.modules[__name__] = augment  # the former name of vizcore.imagine.augment
