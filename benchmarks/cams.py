"""What Grad-CAM costs: ResNet-50 at 224 pixels and its last stage, against a bare forward pass and the peers.

    python -m benchmarks cams [rounds]

The passes take turns; medians over the rounds. "processor" is the time on one core, which other programs
on the machine don't lengthen much.
"""

import statistics
import time

import torch

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
    seconds = {name: [] for name in passes}
    for _ in range(rounds):
        for name, run in passes.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - processor))
    base = None
    print(f"{'':30}{'wall':>10}{'processor':>12}{'of the bare pass':>19}")
    for name, taken in seconds.items():
        wall, processor = (1000 * statistics.median(column) for column in zip(*taken, strict=True))
        base = base or processor
        print(f"{name:30}{wall:7.1f} ms{processor:9.1f} ms{processor / base:19.3f}")
    return 0
