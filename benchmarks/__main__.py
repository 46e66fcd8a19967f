"""python -m benchmarks: ours beside the peers (see peers.py); python -m benchmarks NAME: one of these."""

import importlib
import sys

BENCHMARKS = {
    "truth": "accuracy of the bundled pair, and whether heatmaps point at the right texture",
    "photo": "how many unseen photographs the Photo ViT names, class by class, with its teacher beside it",
    "probe": "a linear probe of real photographs: pictures left out, time, and where its maps point",
    "own": "a table of truth for photographs of your own, and how long it takes",
    "networks": "one architecture of each of timm's model files: a right map, or a true sentence",
    "evidence": "every heatmap method against controls: pointing, energy, deletion, insertion",
    "peaks": "how much memory each method takes at its peak",
    "gap": "how many steps Integrated Gradients take until they are complete",
    "finetune": "EfficientNet-Lite0 whole on drawn textures, beside its frozen head",
    "study": "one table of maps by one process, two, and runs that are killed; memory; beside a bare loop",
    "units": "what is stored of each unit of the bundled pair, and how long a new set of pictures takes",
    "cka": "the similarity matrices of the bundled pair, or the memory that CKA of large networks takes",
    "claims": "does a ViT look globally at once? do CNNs go for textures and ViTs for shapes? with intervals",
    "load": "a class of thirty on one server: waiting times, wrong answers, errors, memory",
    "fleet": "several processes behind the proxy: times, one that is killed, memory, clients that misbehave",
    "memory": "what a server takes: one session on all pages, and what 300 interactions add",
    "gallery": "classes of a pair in the box imagined, judged by both networks, and the contact sheet",
    "colours": "how alive the colours of imagined pictures are, by recipe, beside lucent's",
    "stems": "what the Photo ViT's stem is worth, cut after three, four or five stages",
    "isolation": "a Grad-CAM on a server while somebody else's activation maximisation runs there",
    "walk": "every sentence of the pages in thousands of states, beside figures recomputed from the networks",
    "long": "the tests that take long: most of the viewer's in a browser, histories, four visitors at once",
    "painting": "thirty people who paint a picture out: from a lifted brush to the bars",
    "links": "links that people have: what they show, beside what they showed",
    "digest": "figures that a reshaping of the code must leave as they are, bit for bit",
    "shifts": "how much pages move as they load and as another class, layer or method is asked for",
    "home": "the README's picture of the home page",
    "first": "what home says first, asked of the networks and written into the box",
    "cold": "five cold starts beside an empty Streamlit page's; a class then; a second visitor",
    "answers": "how long curves, randomised weights, imagined pictures and similarity take in the app",
    "speedups": "what large pages of memory, a thread for each network and torch.compile bring to a pass",
    "app": "how long people wait, in a real browser: start, another class, layer, page",
}


def main(argv):
    if argv[:1] in (["-h"], ["--help"]):
        listed = "\n".join(f"  {name:12}{what}" for name, what in BENCHMARKS.items())
        print(f"python -m benchmarks NAME [options]\n\n{listed}\n\nWithout a name:\n")
    name, options = (argv[0], argv[1:]) if argv and argv[0] in BENCHMARKS else ("peers", argv)
    return importlib.import_module(f"benchmarks.{name}").main(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
