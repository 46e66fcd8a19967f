"""The same on a GPU, where there is one."""

import pytest
import torch

from vizcore.capture import capture
from vizcore.methods.attention import attention
from vizcore.methods.features import as_maps, pca_colours
from vizcore.networks.load import load_model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("name", ["texture_vit", "resnet18"])
def test_a_gpu_sees_what_the_cpu_sees(name, chelsea):
    cpu, gpu = (load_model(name, "random", device=device) for device in ("cpu", "cuda"))
    assert gpu.device.type == "cuda" and gpu.preprocess(chelsea).is_cuda
    layer = cpu.blocks[-2]
    maps = []
    for model in (cpu, gpu):
        captured = capture(model.net, model.preprocess(chelsea), [layer], grad=True)
        (gradient,) = torch.autograd.grad(captured.output[0, 3], captured.layers[layer])
        features = as_maps(captured.layers[layer].detach(), model.layouts[layer])
        assert pca_colours(features).isfinite().all()
        maps.append((features.cpu(), gradient.cpu()))
        if model.attention:
            maps[-1] += (attention(model.net, model.preprocess(chelsea), model.attention[-1:])[0].cpu(),)
    for a, b in zip(*maps, strict=True):
        assert (a - b).abs().max() <= 1e-3 * a.abs().max()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_every_type_and_mode_on_a_gpu(dtype, chelsea):
    from vizcore.imagine import crosseval
    from vizcore.methods import table as heatmaps
    from vizcore.networks.load import from_module
    from vizcore.networks.torchvision_ops import timm, torchvision

    steps = torchvision.transforms
    transform = steps.Compose(
        [steps.Resize((64, 64)), steps.ToTensor(), steps.Normalize([0.5] * 3, [0.5] * 3)]
    )
    net = timm.create_model("vit_tiny_patch16_224", img_size=64, depth=2, num_classes=5)
    model = from_module(net.to(dtype), transform, device="cuda")
    images = model.preprocess(chelsea)
    assert images.is_cuda and images.dtype == dtype
    for method in heatmaps.METHODS.values():
        if method.applies(model) and not method.slow:
            outside = method.make(model, images, 1)
            with torch.inference_mode(), torch.autocast("cuda"):
                inside = method.make(model, images, 1)
            assert outside.isfinite().all() and outside.dtype == inside.dtype
            assert (outside - inside).abs().max() <= 1e-2 * outside.abs().max()
    assert crosseval.judge(model, torch.rand(1, 3, 64, 64), [1], 4).rank.isfinite().all()
