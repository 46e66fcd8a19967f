"""``sightlines study imagine``: pictures that classes of networks like, ready to be judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .study import NETWORKS, STUDIES, parser_of, say


def run(arguments: list[str]) -> None:
    """Make the pictures, or go on with them."""
    parser = parser_of("imagine", STUDIES["imagine"])
    parser.add_argument("--networks", nargs="+", required=True, metavar="NAME", help=NETWORKS)
    parser.add_argument("--classes", nargs="+", default=[], metavar="CLASS", help="names or numbers; all")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="an empty one, or to go on")
    parser.add_argument("--recipe", default="clean", help="clean, vivid, fast or classic")
    parser.add_argument("--steps", type=int, help="of gradient ascent; the recipe's own by default")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.steps is not None and options.steps < 1:
        parser.error("--steps is at least 1")
    from ..at_scale.run_imagine import PICTURES, run_imagine
    from ..imagine.maximise import RECIPES

    if options.recipe not in RECIPES:
        parser.error(f"--recipe is one of {', '.join(RECIPES)}")
    recipe = RECIPES[options.recipe]
    recipe = replace(recipe, steps=options.steps) if options.steps else recipe
    out = run_imagine(options.networks, options.classes, options.out, recipe, options.seed)
    say(f"The pictures are in {out / PICTURES}, a folder for each class.")
