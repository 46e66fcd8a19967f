"""``sightlines study judge``: what any networks say of a folder of pictures, in random views."""

from __future__ import annotations

from pathlib import Path

from .study import DATA, NETWORKS, STUDIES, parser_of, say


def run(arguments: list[str]) -> None:
    """Make the study, or go on with it."""
    parser = parser_of("judge", STUDIES["judge"])
    parser.add_argument("--networks", nargs="+", required=True, metavar="NAME", help=NETWORKS)
    parser.add_argument("--data", required=True, metavar="FOLDER", help=DATA)
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="an empty one, or to go on")
    parser.add_argument("--views", type=int, default=32, help="random views of each picture (32)")
    options = parser.parse_args(arguments)
    if not 1 <= options.views <= 1024:
        parser.error("--views is 1 to 1024")
    from ..at_scale.run_judge import run_judge
    from ..at_scale.sources import pictures_of

    out = run_judge(pictures_of(options.data), options.networks, options.out, options.views)
    say(f"The study is in {out}.")
