"""What Grad-CAM costs: ResNet-50 at 224 pixels and its last stage, against a bare forward pass and the peers.

    python -m benchmarks cams [rounds]

The passes take turns; medians over the rounds. "processor" is the time on one core, which other programs
on the machine don't lengthen much.
"""

import torch

from benchmarks import timing
from vizcore.cam import cam, cams
from vizcore.models import load_model

LAYER = "layer4"


def main(argv):
    import pytorch_grad_cam  # after torchvision, which vizcore.models makes importable
    from captum.attr import LayerGradCam

    rounds = int(argv[0]) if argv else 15
    torch.set_num_threads(1)
    model = load_model("resnet50", "random", device="cpu")
    images = torch.randn(1, 3, 224, 224)
    # the peers differentiate with respect to the weights or the picture, as they come
    theirs = load_model("resnet50", "random", device="cpu").net.requires_grad_(True)
    peer = pytorch_grad_cam.GradCAM(theirs, [theirs.get_submodule(LAYER)])
    captum = LayerGradCam(model.net, model.net.get_submodule(LAYER))

    def bare():
        with torch.inference_mode():
            model.net(images)

    passes = {
        "bare forward pass": bare,
        "Grad-CAM, one class": lambda: cam(model, images, 3, LAYER),
        "Grad-CAM, five classes": lambda: cams(model, images, [3, 4, 5, 6, 7], LAYER),
        "captum, one class": lambda: captum.attribute(images.clone().requires_grad_(), 3),
        "pytorch-grad-cam, one class": lambda: peer(images, [lambda scores: scores[3]]),
    }
    timing.compare(passes, rounds)
    return 0
