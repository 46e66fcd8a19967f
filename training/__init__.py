"""How the networks in vizcore/weights were made, so that anyone can make them again: python -m training."""

import vizcore.networks.torchvision_ops  # noqa: F401  (has to come before timm)
