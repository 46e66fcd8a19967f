"""What rollout costs: ViT-B/16 at 224 pixels, against a bare forward pass and the product of whole matrices.

    python -m benchmarks rollout [rounds]

The passes take turns; medians over the rounds. "processor" is the time on one core, which other programs
on the machine don't lengthen much.
"""

import torch

from benchmarks import timing
from vizcore.attention import attention, readout, rollout
from vizcore.models import load_model


def main(argv):
    rounds = int(argv[0]) if argv else 15
    torch.set_num_threads(1)
    model = load_model("vit_base_patch16_224", "random", device="cpu")
    images = torch.randn(1, 3, 224, 224)
    start = readout(model.net, model.grid, model.num_prefix_tokens)
    blocks = attention(model.net, images, model.attention)

    def bare():
        with torch.inference_mode():
            model.net(images)

    passes = {
        "bare forward pass": bare,
        "forward pass and rollout": lambda: rollout(attention(model.net, images, model.attention), start),
        "rollout alone, with its build-up": lambda: rollout(blocks, start),
        "product of the whole matrices": lambda: whole_product(blocks),
    }
    timing.compare(passes, rounds)
    return 0


def whole_product(blocks):
    """Rollout as it is usually written: N × N by N × N, one product a block."""
    product = torch.eye(blocks[0].shape[-1], dtype=torch.float64)
    for block in blocks:
        product = (0.5 * torch.eye(block.shape[-1]) + 0.5 * block[0].mean(0)).double() @ product
    return product
