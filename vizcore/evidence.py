from .baselines import COVERS as BASELINES  # noqa: F401
from .baselines import blurred, mean_colour  # noqa: F401
from .truth import *  # noqa: F403
