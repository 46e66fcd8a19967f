"""The former name of ``vizcore.pictures.textures``."""
import sys

from .pictures import textures
sys.modules[__name__] = textures
