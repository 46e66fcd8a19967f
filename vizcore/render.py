import sys

from .drawing import render

sys.modules[__name__] = render  # the former name of vizcore.drawing.render
