from .methods.gradients import *  # noqa: F403
from .methods.integrated import *  # noqa: F403
from .methods.occlusion import *  # noqa: F403
from .methods.smooth_grad import *  # noqa: F403
from .methods.table import METHODS as METHODS
