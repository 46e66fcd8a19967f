"""Feature maps of every block of ResNet-50, beside a bare pass and torchvision's feature extraction."""

import torch

from benchmarks.rows import Row, apart, bare
from vizcore.capture import capture
from vizcore.networks.load import best_device, load_model


def rows(quick):
    from torchvision.models.feature_extraction import create_feature_extractor

    model = load_model("resnet50", "random", device=best_device())
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(model.device)
    blocks = [name for name in model.blocks if name.startswith("layer")]
    extractor = create_feature_extractor(model.net, {name: name for name in blocks})

    def theirs():
        with torch.no_grad():
            return extractor(images)

    def ours():
        return capture(model.net, images, blocks).layers

    def difference():
        mine, peers = ours(), theirs()
        return max(apart(mine[name], peers[name]) for name in blocks)

    yield Row(
        f"feature maps of {len(blocks)} blocks, ResNet-50",
        ours,
        {"bare pass": bare(model.net, images), "torchvision's extractor": theirs},
        {"bare pass": 1.30},
        {"torchvision's extractor": difference},
    )
