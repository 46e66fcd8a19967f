import sys

from .drawing import matrix

sys.modules[__name__] = matrix  # the former name of vizcore.drawing.matrix
