"""python -m benchmarks NAME [options]: each benchmark is a module here with a main(argv)."""

import importlib
import sys

BENCHMARKS = {
    "truth": "accuracy of the bundled pair, and whether heatmaps point at the right texture",
    "evidence": "every heatmap method against controls: pointing, energy, deletion, insertion",
    "start": "from starting the server to the first feature maps, in a real browser",
    "cams": "what Grad-CAM adds to a forward pass of ResNet-50, beside captum and pytorch-grad-cam",
    "rollout": "what attention rollout adds to a forward pass of ViT-B/16",
}


def main(argv):
    if not argv or argv[0] not in BENCHMARKS:
        listed = "\n".join(f"  {name:12}{what}" for name, what in BENCHMARKS.items())
        print(f"python -m benchmarks NAME [options]\n\n{listed}")
        return 0 if argv in ([], ["-h"], ["--help"]) else 2
    return importlib.import_module(f"benchmarks.{argv[0]}").main(argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
