"""``sightlines study maps``: for each picture, network and method a row and a map."""

from __future__ import annotations

from pathlib import Path

from .study import DATA, NETWORKS, STUDIES, parser_of, say


def run(arguments: list[str]) -> None:
    """Make the study, or go on with it."""
    parser = parser_of("maps", STUDIES["maps"])
    parser.add_argument("--networks", nargs="+", required=True, metavar="NAME", help=NETWORKS)
    parser.add_argument("--data", required=True, metavar="FOLDER", help=DATA)
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="an empty one, or to go on")
    parser.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="by default Grad-CAM, rollout, attention, relevance"
    )
    parser.add_argument(
        "--steps", type=int, default=8, help="of deletion and insertion (8); 0 leaves them out"
    )
    parser.add_argument("--baseline", default="blur", help="what covers the picture there: blur or mean")
    parser.add_argument(
        "--masks",
        type=Path,
        metavar="FOLDER",
        help="masks of what the answer is, at the pictures' paths, .png",
    )
    parser.add_argument(
        "--mosaics",
        action="store_true",
        help="also look for each picture in a mosaic of four, by its class",
    )
    options = parser.parse_args(arguments)
    if not 0 <= options.steps <= 256 or options.steps == 1:
        parser.error("--steps is 0, or 2 to 256")
    from ..baselines import COVERS

    if options.baseline not in COVERS:
        parser.error(f"--baseline is {' or '.join(COVERS)}")
    from ..at_scale import run_maps
    from ..at_scale.measures import How
    from ..at_scale.sources import pictures_of

    methods = tuple(options.methods or run_maps.METHODS_BY_DEFAULT)
    how = How(methods, options.steps, options.baseline, options.mosaics)
    asked = run_maps.Asked(pictures_of(options.data), options.networks, how, options.out, options.masks)
    say(f"The study is in {run_maps.run(asked)}.")
