"""The former name of ``vizcore.pictures.images``."""

import sys

from .pictures import images

sys.modules[__name__] = images
