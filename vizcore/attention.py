from .methods.attention import *  # noqa: F403
from .methods.rollout import *  # noqa: F403
from .methods.tokens import *  # noqa: F403
from .truth.likeness import correlation as correlation
