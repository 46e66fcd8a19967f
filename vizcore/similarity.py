"""The former name of ``vizcore.studies.cka``."""

import sys

from .studies import cka

sys.modules[__name__] = cka
