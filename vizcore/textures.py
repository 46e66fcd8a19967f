import sys

from .pictures import textures

sys.modules[__name__] = textures  # the former name of vizcore.pictures.textures
