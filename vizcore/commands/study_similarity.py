"""``sightlines study similarity``: CKA between each pair of a list of networks."""

from __future__ import annotations

from pathlib import Path

from .study import DATA, NETWORKS, STUDIES, parser_of, say


def run(arguments: list[str]) -> None:
    """Make the study, or go on with it."""
    parser = parser_of("similarity", STUDIES["similarity"])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--networks", nargs="+", metavar="NAME", help=NETWORKS)
    which.add_argument(
        "--preset", choices=["cifar100"],
        help="ResNet-18, 34, 50, Lambda ResNet-26, 38, 50 and ViT-L/32, trained on it and random",
    )  # fmt: skip
    parser.add_argument("--data", metavar="FOLDER", help=f"{DATA}; a preset's own by default")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="an empty one, or to go on")
    parser.add_argument("--count", type=int, default=128, help="pictures (128)")
    options = parser.parse_args(arguments)
    data = options.data or options.preset
    if not data:
        parser.error("--data is needed")
    from ..at_scale import run_similarity as study
    from ..at_scale.sources import pictures_of

    networks = options.networks or study.preset(options.preset)
    out = study.run_similarity(pictures_of(data), networks, options.out, options.count)
    say(f"The study is in {out}.")
