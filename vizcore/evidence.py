"""The former name of ``vizcore.truth.evidence``."""

import sys

from .truth import evidence

sys.modules[__name__] = evidence
