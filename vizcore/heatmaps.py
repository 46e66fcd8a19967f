"""The former name of ``vizcore.methods.table``."""

import sys

from .methods import table

sys.modules[__name__] = table
