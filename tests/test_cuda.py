"""The same on a GPU, where there is one."""

import pytest
import torch

from vizcore.attention import attention
from vizcore.capture import capture
from vizcore.features import as_maps, pca_colours
from vizcore.models import load_model

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
