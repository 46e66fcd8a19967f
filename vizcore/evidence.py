import sys

from .truth import evidence

sys.modules[__name__] = evidence  # the former name of vizcore.truth.evidence
