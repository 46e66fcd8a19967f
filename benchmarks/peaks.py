"""How much memory each method takes at its peak, above the loaded network: python -m benchmarks peaks.

On Linux the growth of the resident set (its peak is set back before each), on CUDA the allocator's peak.
The ratio counts the weights too: what a server needs for the method beside what it needs for the bare pass.
"""

import torch

from benchmarks.rows import bare, peak_mb
from vizcore.capture import capture
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, load_model

SLOW = ("Score-CAM", "occlusion")  # thousands of passes of one chunk after the other: no more than a chunk


def main(argv):
    print("| network at 224 px | method | peak, MB | with the weights, of the bare pass |\n|---|---|---|---|")
    for name in ("resnet50", "vit_base_patch16_224"):
        model = load_model(name, "random", device=best_device())
        images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(model.device)
        runs = {
            "bare pass": bare(model.net, images),
            "feature maps of all blocks": lambda m=model, x=images: capture(m.net, x, m.blocks),
            "feature maps of all layers": lambda m=model, x=images: capture(m.net, x, m.layers),
        }
        for title, method in METHODS.items():
            if method.applies(model) and title not in SLOW:
                runs[title] = lambda m=model, x=images, make=method.make: make(m, x, 3)
        weights, floor = sum(p.numel() * p.element_size() for p in model.net.parameters()) / 1e6, None
        for title, run in runs.items():
            run()  # what the first run allocates for good is not the method's
            peak = peak_mb(run)
            floor = floor or peak
            print(
                f"| {model.title} | {title} | {peak:.0f} | {(weights + peak) / (weights + floor):.2f} |",
                flush=True,
            )
    return 0
