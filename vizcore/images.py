import sys

from .pictures import images

sys.modules[__name__] = images  # the former name of vizcore.pictures.images
