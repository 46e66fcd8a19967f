"""The former name of ``vizcore.imagine.augment``."""

import sys

from .imagine import augment

sys.modules[__name__] = augment
