"""Whether a map is true: known answers, curves, weights drawn anew, noise. Knows no method."""

from .controls import centre_gaussian, controls, edges, random_map
from .covering import on_input, only, ranked
from .curves import KINDS, Curve, Curves, curves
from .intervals import Interval, normal, paired, wilson
from .likeness import correlation, overlap, rank_correlation, similarity, ssim
from .pointing import energy, pointing
from .randomised import ORDERS, Heatmap, Randomised, parts, randomisation, randomised
from .stability import Shaken, stability

__all__ = [
    "KINDS",
    "ORDERS",
    "Curve",
    "Curves",
    "Heatmap",
    "Interval",
    "Randomised",
    "Shaken",
    "centre_gaussian",
    "controls",
    "correlation",
    "curves",
    "edges",
    "energy",
    "normal",
    "on_input",
    "only",
    "overlap",
    "paired",
    "parts",
    "pointing",
    "random_map",
    "randomisation",
    "randomised",
    "rank_correlation",
    "ranked",
    "similarity",
    "ssim",
    "stability",
    "wilson",
]
