"""python -m benchmarks: ours beside the peers (see peers.py); python -m benchmarks NAME: one of these."""

import importlib
import sys

BENCHMARKS = {
    "truth": "accuracy of the bundled pair, and whether heatmaps point at the right texture",
    "evidence": "every heatmap method against controls: pointing, energy, deletion, insertion",
    "peaks": "how much memory each method takes at its peak",
    "cka": "the similarity matrices of the bundled pair, or the memory that CKA of large networks takes",
    "gallery": "imagines all classes of the bundled pair and judges the pictures",
    "load": "a class of thirty on one server: waiting times, wrong answers, errors, memory",
    "start": "from starting the server to the first feature maps, in a real browser",
}


def main(argv):
    if argv[:1] in (["-h"], ["--help"]):
        listed = "\n".join(f"  {name:12}{what}" for name, what in BENCHMARKS.items())
        print(f"python -m benchmarks NAME [options]\n\n{listed}\n\nWithout a name:\n")
    name, options = (argv[0], argv[1:]) if argv and argv[0] in BENCHMARKS else ("peers", argv)
    return importlib.import_module(f"benchmarks.{name}").main(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
