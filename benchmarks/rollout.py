"""Rollout of ViT-B/16 beside a bare pass and rollout as it is usually written; relevance beside its floor."""

import torch

from benchmarks.rows import Row, apart, bare
from vizcore.capture import private_copy
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, load_model


def rows(quick):
    model = load_model(
        "deit_tiny_patch16_224" if quick else "vit_base_patch16_224", "random", device=best_device()
    )
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(model.device)

    def plain():
        """The softmax by hooks, the heads' mean, half of the identity, a product of N × N matrices."""
        net, kept = private_copy(model.net), []
        for name in model.attention:
            attention = net.get_submodule(name)
            attention.fused_attn = False
            attention.attn_drop.register_forward_hook(lambda _m, _i, out: kept.append(out))
        with torch.no_grad():
            net(images)
        product = torch.eye(kept[0].shape[-1], device=images.device)
        for matrix in kept:
            mixed = matrix[0].mean(0) + torch.eye(matrix.shape[-1], device=images.device)
            product = mixed / mixed.sum(-1, keepdim=True) @ product
        return product[0, model.num_prefix_tokens :]

    yield Row(
        f"rollout, {model.title}",
        lambda: METHODS["rollout"].make(model, images),
        {"bare pass": bare(model.net, images), "plain rollout on hooks": plain},
        {"bare pass": 1.10, "plain rollout on hooks": 1},
        {"plain rollout on hooks": lambda: apart(METHODS["rollout"].make(model, images).flatten(), plain())},
    )

    def back_to_attention():
        """The floor of relevance: attention in the open, its matrices and the score's slope at each."""
        net, kept = private_copy(model.net), []
        for name in model.attention:
            attention = net.get_submodule(name)
            attention.fused_attn = False
            attention.attn_drop.register_forward_hook(lambda _m, _i, out: kept.append(_asks(out)) or kept[-1])
        return torch.autograd.grad(net(images)[0, 3], kept)

    yield Row(
        f"relevance of a class, {model.title}",
        lambda: METHODS["relevance"].make(model, images, 3),
        {"a pass there and back to the attention": back_to_attention},
        {"a pass there and back to the attention": 1.10},
    )


def _asks(matrix):
    """A matrix that a gradient can be asked at: the first one begins the graph."""
    return matrix if matrix.requires_grad else matrix.detach().requires_grad_()
