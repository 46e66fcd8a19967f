"""The command ``sightlines``, also ``python -m vizcore``: the app, studies, weights beforehand."""

from __future__ import annotations

import argparse
import importlib.util
import runpy
import sys
from pathlib import Path

from .commands import learn, serve, study


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sightlines", description="What networks look at, side by side.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("app", add_help=False, help="start the app; takes every option of `streamlit run`")
    commands.add_parser("list", help="every model, and whether its trained weights are on this machine")
    fetch = commands.add_parser("prefetch", help="download trained weights into the cache")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="models of the catalogue or of timm")
    serve.add(commands)
    study.add(commands)
    learn.add(commands)
    options, others = parser.parse_known_args(arguments)
    if options.command == "app":
        return app(others)
    if options.command == "study":
        return study.main(options, others)
    if others:
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    if options.command == "serve":
        return serve.main(options, app_script())
    if options.command == "finetune":
        return learn.main(options)
    return list_models() if options.command == "list" else prefetch(options.names)


def app(options: list[str]) -> int:
    """Run the app in this process; ``options`` are Streamlit's."""
    if importlib.util.find_spec("streamlit") is None:
        print("The app needs Streamlit: pip install 'sightlines[app]'", file=sys.stderr)
        return 1
    sys.argv = ["streamlit", "run", str(app_script()), *options]
    runpy.run_module("streamlit", run_name="__main__")  # ends by SystemExit
    return 0


def app_script() -> Path:
    """The app's main script: in a folder of its own beside the installed package, or in the checkout."""
    beside = Path(__file__).parent.parent
    installed = beside / "sightlines" / "streamlit_app.py"
    return installed if installed.is_file() else beside / "streamlit_app.py"


def list_models() -> int:
    """Print the catalogue."""
    from .networks.catalog import CATALOG
    from .networks.load import weights_at_hand

    for name, entry in CATALOG.items():
        print(f"{name:28} {weights_at_hand(name, entry):14} {entry.title}")
    return 0


def prefetch(names: list[str]) -> int:
    """Fetch the trained weights of each; 1 if any of them failed."""
    from .networks.load import ModelError, find_entry, load_model, weights_at_hand

    failed = 0
    for name in names:
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
