"""``python -m vizcore list`` and ``prefetch NAME ...``: trained weights for a room without a network."""

from __future__ import annotations

import argparse

from .networks.catalog import CATALOG


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m vizcore", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every model, and whether its trained weights are on this machine")
    prefetch = commands.add_parser("prefetch", help="download trained weights into the cache")
    prefetch.add_argument("names", nargs="+", metavar="NAME", help="models of the catalogue or of timm")
    options = parser.parse_args(arguments)

    from .networks.load import ModelError, find_entry, load_model, weights_at_hand

    if options.command == "list":
        for name, entry in CATALOG.items():
            print(f"{name:28} {weights_at_hand(name, entry):14} {entry.title}")
        return 0
    failed = 0
    for name in options.names:
        try:
            if weights_at_hand(name, find_entry(name)) == "to download":
                print(f"{name}: downloading …", flush=True)
            print(f"{name}: ready, from {load_model(name, device='cpu').source}")
        except ModelError as error:
            print(f"{name}: {error}")
            failed += 1
    return min(failed, 1)


if __name__ == "__main__":
    raise SystemExit(main())
