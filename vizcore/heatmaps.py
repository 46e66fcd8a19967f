import sys

from .methods import table

sys.modules[__name__] = table  # the former name of vizcore.methods.table
