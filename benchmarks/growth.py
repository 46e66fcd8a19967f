"""How cost grows with pixels, pictures, layers: exponents beside the network's own."""

from functools import cache, partial

import torch

from benchmarks.rows import Growth, bare, passes
from vizcore.capture import capture
from vizcore.methods import attention, rollout, tokens
from vizcore.methods.cam import cams
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, from_module, load_model
from vizcore.networks.torchvision_ops import timm
from vizcore.studies import cka as similarity


def rows(quick):
    device = best_device()
    resnet = load_model("resnet18", "random", device=device)
    sides = (128, 256, 384) if quick else (128, 192, 256, 384, 512)
    batches = (1, 4, 8) if quick else (1, 2, 4, 8, 16, 32)
    noise = torch.randn(max(batches), 3, max(sides), max(sides), generator=torch.Generator().manual_seed(0))
    noise = noise.to(device)

    def square(side):
        return noise[:1, :, :side, :side].contiguous()

    def batch(count):
        return noise[:count, :, :224, :224].contiguous()

    resnet_at = {
        "px": (sides, square, "side"),
        "pictures": (batches, batch, "batch"),
    }
    for unit, (sizes, images, word) in resnet_at.items():
        yield Growth(
            f"Grad-CAM, ResNet-18: {word}",
            unit,
            sizes,
            lambda size, images=images: partial(cams, resnet, images(size), [3]),
            lambda size, images=images: bare(resnet.net, images(size)),
        )
    layers = [name for name in resnet.layers if name.endswith(("conv1", "conv2", "bn1", "bn2"))]
    yield Growth(
        "feature maps, ResNet-18: layers",
        "layers",
        (2, 4, 8, 16),
        lambda n: partial(capture, resnet.net, square(224), layers[:n]),
        lambda n: bare(resnet.net, square(224)),
    )
    vits = {side: _vit(side, device) for side in sides}

    @cache
    def at_side(side):
        return from_module(vits[side], timm.data.create_transform(side), device=device)

    yield Growth(
        "rollout, DeiT-Tiny: side",
        "px",
        sides,
        lambda side: partial(_rollout, vits[side], square(side)),
        lambda side: bare(vits[side], square(side)),
    )
    deit = load_model("deit_tiny_patch16_224", "random", device=device)
    steps = (8, 16, 32) if quick else (8, 16, 32, 64)
    for name in ("relevance", "LeGrad"):
        yield Growth(
            f"{name}, DeiT-Tiny: side",
            "px",
            sides,
            lambda side, name=name: partial(METHODS[name].make, at_side(side), square(side), 3),
            lambda side: passes(vits[side], square(side), 1, back=3)(1),
        )
    yield Growth(
        "Integrated Gradients, DeiT-Tiny: steps",
        "steps",
        steps,
        lambda n: partial(METHODS["Integrated Gradients"].make, deit, square(224), 3, steps=n, within=None),
        lambda n: passes(deit.net, square(224), n, back=3)(4),
    )
    pair = [load_model(name, "random", device=device) for name in ("texture_resnet", "texture_vit")]
    pictures = torch.randn(64, 3, 128, 128, generator=torch.Generator().manual_seed(1)).to(device)
    yield Growth(
        "CKA, all blocks of the bundled pair: pictures",
        "pictures",
        (64, 128, 256) if quick else (64, 128, 256, 512, 1024),
        lambda n: partial(_cka, pair, pictures, n),
        lambda n: lambda: [bare(model.net, pictures)() for _ in range(n // 64) for model in pair],
    )


def _cka(pair, pictures, n):
    """The estimate of n pictures in minibatches of 64."""
    batches = (
        tuple(similarity.grams(model.net, pictures, model.blocks) for model in pair) for _ in range(n // 64)
    )
    *_, last = similarity.estimates(batches, n)
    return last


def _vit(side, device):
    return timm.create_model("deit_tiny_patch16_224", img_size=side).eval().requires_grad_(False).to(device)


def _rollout(net, images):
    blocks = attention.attention(net, images, [f"blocks.{i}.attn" for i in range(len(net.blocks))])
    return rollout.rollout(blocks, tokens.readout(net, net.patch_embed.grid_size, net.num_prefix_tokens))
