"""Class activation maps beside a bare pass, pytorch-grad-cam, captum and torchcam."""

import contextlib
import io

import cv2
import torch

from benchmarks.rows import Row, apart, bare, fastest, passes
from vizcore.methods.cam import cam, cams, hold
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, load_model


def rows(quick):
    from captum.attr import LayerGradCam  # the peers come after vizcore, which makes torchvision importable
    from pytorch_grad_cam import GradCAM
    from torchcam.methods import GradCAM as TorchCam

    model = load_model("resnet50", "random", device=best_device())
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(model.device)
    layer, classes = "layer4", model.net(images)[0].topk(5).indices.tolist()
    first = classes[0]
    # they differentiate with respect to the weights, as networks come
    peer, hooked = (
        load_model("resnet50", "random", device=model.device).net.requires_grad_(True) for _ in range(2)
    )
    torchcam, captum = TorchCam(hooked, layer), LayerGradCam(model.net, model.net.get_submodule(layer))
    pytorch_grad_cam = GradCAM(peer, [peer.get_submodule(layer)])
    one = cam(model, images, first, layer)

    def by_peer(index=first):
        return pytorch_grad_cam(images, [lambda scores: scores[index]])[0]

    def by_captum():
        return captum.attribute(images.clone().requires_grad_(), first).relu()

    def by_torchcam():
        return torchcam(first, hooked(images), normalized=False)[0]

    yield Row(
        "Grad-CAM, ResNet-50, one class",
        lambda: cam(model, images, first, layer),
        {
            "bare pass": bare(model.net, images),
            "pytorch-grad-cam": by_peer,
            "captum": by_captum,
            "torchcam": by_torchcam,
        },
        {"bare pass": 1.10, "pytorch-grad-cam": 1, "captum": 1, "torchcam": 1},
        {
            "pytorch-grad-cam": lambda: apart(as_shown(one, images), by_peer()),
            "captum": lambda: apart(one, by_captum()[0, 0]),
            "torchcam": lambda: apart(one, by_torchcam()[0]),
        },
    )
    yield Row(
        "Grad-CAM, ResNet-50, five classes",
        lambda: cams(model, images, classes, layer),
        {
            "bare pass": bare(model.net, images),
            "pytorch-grad-cam, five runs": lambda: [by_peer(index) for index in classes],
        },
        {"bare pass": 1.25, "pytorch-grad-cam, five runs": 1 / 8},
        {
            "pytorch-grad-cam, five runs": lambda: max(
                apart(as_shown(ours[0], images), by_peer(index))
                for ours, index in zip(cams(model, images, classes, layer), classes, strict=True)
            )
        },
    )

    held, other = hold(model, images, layer), classes[1]
    yield Row(
        "LayerCAM of another class at a layer whose pass is held, ResNet-50",
        lambda: cams(model, images, [other], layer, "LayerCAM", held),
        {"the first CAM": lambda: cam(model, images, first, layer)},
        {"the first CAM": 0.10},
        {
            "the first CAM": lambda: apart(
                cams(model, images, [other], layer, "LayerCAM", held),
                cams(model, images, [other], layer, "LayerCAM"),
            )
        },
    )


def score_cam(quick):
    from pytorch_grad_cam import ScoreCAM

    # the peer's own masks have the outer cells' centres on the picture's edges: give it ours
    class SameMasks(torch.nn.Upsample):
        def __init__(self, size):
            super().__init__(size=size, mode="bilinear")

    torch.nn.UpsamplingBilinear2d = SameMasks
    model = load_model("texture_resnet" if quick else "resnet18", "random", device=best_device())
    layer = "layer4"
    images = torch.randn(1, 3, *(2 * [128 if quick else 224]), generator=torch.Generator().manual_seed(0))
    images = images.to(model.device)

    top = model.net(images)[0].argmax().item()

    def at_batch(size):
        peer = ScoreCAM(model.net, [model.net.get_submodule(layer)])
        peer.batch_size = size

        def run():
            with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
                return peer(images, [lambda scores: scores[top]])[0]

        return run

    batches, channels = (4, 16) if quick else (4, 8, 16, 32), model.layouts[layer].channels
    peer, run = fastest("pytorch-grad-cam", at_batch, batches)
    floor, bare_run = fastest("bare passes", passes(model.net, images, 1 + channels), batches)

    def ours():
        return METHODS["Score-CAM"].make(model, images, top, layer=layer)

    yield Row(
        f"Score-CAM, {model.title}, {channels} channels",
        ours,
        {floor: bare_run, peer: run},
        {floor: 1.10, peer: 1.05},
        {peer: lambda: apart(as_shown(ours(), images), run())},
        rounds=0 if quick else 5,
    )


def as_shown(found, images):
    """As pytorch-grad-cam returns a map: enlarged, then from 0 to 1."""
    values = cv2.resize(found.cpu().numpy(), images.shape[:1:-1])
    return (values - values.min()) / max(values.max() - values.min(), 1e-12)
