import sys

from .studies import cka

sys.modules[__name__] = cka  # the former name of vizcore.studies.cka
