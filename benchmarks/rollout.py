"""Rollout, relevance and LeGrad of a ViT, beside what they can't do without and what people would use.

Relevance and LeGrad can't do without a pass whose attention is in the open, and the way back to it. What
people would use is the formula as it is usually written, on hooks. Of LeGrad there is its authors' package,
which takes OpenCLIP's networks only, so there both get one of these. It wants other versions than the app:

    pip install --no-deps legrad_torch open-clip-torch==2.23.0 einops ftfy sentencepiece
"""

import contextlib
import importlib.util
import io
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.rows import Row, apart, bare
from vizcore.capture import private_copy
from vizcore.methods.legrad import legrad
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, from_module, load_model
from vizcore.networks.torchvision_ops import timm
from vizcore.objectives import logit


def rows(quick):
    model = load_model(
        "deit_tiny_patch16_224" if quick else "vit_base_patch16_224", "random", device=best_device()
    )
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(model.device)
    target = model.net(images)[0].argmax().item()

    def ours(name, *target):
        return partial(METHODS[name].make, model, images, *target)

    plain = partial(plain_rollout, model, images)
    yield Row(
        f"rollout, {model.title}",
        ours("rollout"),
        {"bare pass": bare(model.net, images), "plain rollout on hooks": plain},
        {"bare pass": 1.10, "plain rollout on hooks": 1},
        {"plain rollout on hooks": lambda: apart(ours("rollout")().flatten(), plain())},
    )
    plain_one = partial(plain_relevance, model, images, target)
    yield Row(
        f"relevance, {model.title}",
        ours("relevance", target),
        {"pass and way back": partial(there_and_back, model, images, target), "plain, on hooks": plain_one},
        {"pass and way back": 1.10, "plain, on hooks": 1.05},
        {"plain, on hooks": lambda: apart(ours("relevance", target)().flatten(), plain_one())},
    )
    plain_two = partial(plain_legrad, model, images, target)
    yield Row(
        f"LeGrad, {model.title}",
        ours("LeGrad", target),
        {"pass and way back in each block": partial(plain_legrad, model, images, target, False)}
        | {"plain, on hooks": plain_two},
        {"pass and way back in each block": 1.10, "plain, on hooks": 1.05},
        {"plain, on hooks": lambda: apart(ours("LeGrad", target)().flatten(), plain_two())},
    )
    if importlib.util.find_spec("legrad"):
        yield of_its_authors(images)


def opened(model, images, grad=False):
    """The network's scores, the attention of each block (1, heads, N, N) and what each block puts out."""
    net, matrices, outputs = private_copy(model.net), [], []

    def keep(_module, _inputs, out):
        out = out.detach().requires_grad_() if grad and not out.requires_grad else out
        matrices.append(out)
        return out

    for name in model.attention:
        attention = net.get_submodule(name)
        attention.fused_attn = False
        attention.attn_drop.register_forward_hook(keep)
    for block in net.blocks:
        block.register_forward_hook(lambda _module, _inputs, out: outputs.append(out))
    with torch.set_grad_enabled(grad):
        return net(images), matrices, outputs


def there_and_back(model, images, target):
    """The scores' way back to the attention of all blocks: gradients, and the matrices."""
    scores, matrices, _ = opened(model, images, grad=True)
    return torch.autograd.grad(scores[0, target], matrices), matrices


def plain_rollout(model, images):
    """The heads' mean, half of the identity, a product of N × N matrices."""
    _, matrices, _ = opened(model, images)
    product = torch.eye(matrices[0].shape[-1], device=images.device)
    for matrix in matrices:
        mixed = matrix[0].mean(0) + torch.eye(matrix.shape[-1], device=images.device)
        product = mixed / mixed.sum(-1, keepdim=True) @ product
    return product[0, model.num_prefix_tokens :]


def plain_relevance(model, images, target):
    """R ← R + E[(∇A ⊙ A)⁺] R from the identity, N × N (Chefer, Gur & Wolf, 2021)."""
    gradients, matrices = there_and_back(model, images, target)
    tokens = matrices[0].shape[-1]
    found = torch.eye(tokens, device=images.device, dtype=torch.float64)
    for matrix, gradient in zip(matrices, gradients, strict=True):
        found = found + (matrix.detach() * gradient)[0].relu().mean(0).double() @ found
    return found[0, model.num_prefix_tokens :]


def plain_legrad(model, images, target, reduce=True):
    """Block after block: what its output scores through the last norm and the head, back to its attention."""
    _, matrices, outputs = opened(model, images, grad=True)
    found = 0
    for matrix, output in zip(matrices, outputs, strict=True):
        score = model.net.forward_head(model.net.norm(output))[0, target]
        (gradient,) = torch.autograd.grad(score, matrix, retain_graph=True)
        found = found + gradient[0].relu().mean((0, 1)) if reduce else 0
    return found[model.num_prefix_tokens :] / len(matrices) if reduce else found


# ---------------------------------------------------------------- the authors' own, on OpenCLIP's ViT-B/32


class Named(nn.Module):
    """timm's ViT, scored as LeGrad's authors score CLIP's: the tokens' mean, how near a text's embedding."""

    def __init__(self, tower: nn.Module, texts: torch.Tensor):
        super().__init__()
        state = {f"visual.{name}": value for name, value in tower.state_dict().items()}
        self.vit = timm.create_model("vit_base_patch32_clip_224", num_classes=tower.proj.shape[1])
        named = timm.models.vision_transformer.checkpoint_filter_fn(state, self.vit)
        self.vit.load_state_dict(named, strict=False)  # it has a bias behind the projection, zero here
        nn.init.zeros_(self.vit.head.bias)
        self.register_buffer("texts", texts)

    def forward(self, images):
        vit = self.vit
        tokens = vit.norm_pre(vit._pos_embed(vit.patch_embed(images)))
        tokens = vit.blocks(tokens)
        return F.normalize(vit.head(vit.norm(tokens.mean(1))), dim=-1) @ self.texts.T


def of_its_authors(images):
    with contextlib.redirect_stdout(io.StringIO()):
        clip = importlib.import_module("open_clip").create_model("ViT-B-32").eval()
        noise = torch.randn(2, 512, generator=torch.Generator().manual_seed(0))
        texts = F.normalize(noise, dim=-1)
        model = from_module(Named(clip.visual, texts), timm.data.create_transform(224), device=images.device)
        peer = importlib.import_module("legrad").LeWrapper(clip.to(images.device), layer_index=0)

    def theirs():
        return peer.compute_legrad(texts[:1].to(images.device), images)[0, 0]

    def ours():
        return legrad(model, images, logit(model, 0))

    def as_theirs():
        found = F.interpolate(ours()[None, None], scale_factor=32, mode="bilinear")[0, 0]
        return (found - found.min()) / (found.max() - found.min())

    return Row(
        "LeGrad, OpenCLIP's ViT-B/32, all blocks",
        ours,
        {"legrad_torch": theirs},
        {"legrad_torch": 1.05},
        {"legrad_torch": lambda: apart(as_theirs(), theirs())},
    )
