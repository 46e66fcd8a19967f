"""What might make a pass cheaper, beside the pass as it is: python -m benchmarks tried (see README.md)."""

import copy

import torch

from benchmarks.rows import Row, apart, bare
from vizcore.networks.load import best_device, load_model


def rows(quick):
    for name in ("resnet50", "efficientnet_lite0", "vit_base_patch16_224", "texture_resnet", "texture_vit"):
        model = load_model(name, "random", device=best_device())
        images = model.preprocess(_grey(model))
        images = images + torch.randn(images.shape, generator=torch.Generator().manual_seed(0)).to(images)
        plain = bare(model.net, images)
        first = copy.deepcopy(model.net).to(memory_format=torch.contiguous_format)
        variants = {
            "channels first": bare(first, images),
            "no_grad instead of inference mode": _no_grad(model.net, images),
        }
        if model.attention:
            variants["attention in the open"] = bare(_open(model.net), images)
        else:
            variants["batch norms folded into convolutions"] = bare(_folded(model.net), images)
        for title, run in variants.items():
            yield Row(
                f"{model.title}: {title}", run, {"as it is": plain}, {},
                {"as it is": lambda run=run, plain=plain: apart(plain(), run())}, equal=1e-3,
            )  # fmt: skip


def _grey(model):
    from PIL import Image

    return Image.new("RGB", (256, 256), (128, 128, 128))


def _no_grad(net, images):
    def run():
        with torch.no_grad():
            return net(images)

    return run


def _open(net):
    opened = copy.deepcopy(net)
    for module in opened.modules():
        if hasattr(module, "fused_attn"):
            module.fused_attn = False
    return opened


def _folded(net):
    """Every convolution with the batch norm that follows it in its parent, as one convolution."""
    folded = copy.deepcopy(net)
    for module in list(folded.modules()):
        children = list(module.named_children())
        for (name, conv), (after, norm) in zip(children, children[1:], strict=False):
            if isinstance(conv, torch.nn.Conv2d) and isinstance(norm, torch.nn.BatchNorm2d):
                setattr(module, name, torch.nn.utils.fusion.fuse_conv_bn_eval(conv, norm))
                act = norm.act if hasattr(norm, "act") else torch.nn.Identity()
                setattr(module, after, act)  # timm's norms carry their activation
    return folded
