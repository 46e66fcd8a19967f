"""Networks of transformers: their own attention and hidden states, and the same maps as by timm."""

import pytest
import timm
import torch
from test_networks import noise

from vizcore.capture import capture
from vizcore.methods.attention import attention
from vizcore.methods.table import METHODS
from vizcore.networks.checkpoints import ModelError

transformers = pytest.importorskip("transformers")

from vizcore.networks.huggingface import from_huggingface  # noqa: E402

SMALL = {
    "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 96,
    "image_size": 64, "patch_size": 8,
}  # fmt: skip
TOKENS = {  # configuration, network, tokens before the patches, tokens that are read
    "ViT": ("ViTConfig", "ViTForImageClassification", 1, [0]),
    "DeiT": ("DeiTConfig", "DeiTForImageClassificationWithTeacher", 2, [0, 1]),
    "BEiT": ("BeitConfig", "BeitForImageClassification", 1, range(1, 65)),
    "DINOv2": ("Dinov2Config", "Dinov2ForImageClassification", 1, range(65)),
    "DINOv3": ("DINOv3ViTConfig", "DINOv3ViTModel", 5, [0]),
    "SigLIP": ("SiglipVisionConfig", "SiglipVisionModel", 0, range(64)),
    "CLIP": ("CLIPVisionConfig", "CLIPVisionModel", 1, [0]),
}


def built(config, network, **options):
    torch.manual_seed(0)
    small = {"image_size": 64} if config.startswith(("Swin", "ConvNext")) else SMALL
    options = {**small, **({"num_register_tokens": 4} if "DINOv3" in config else {}), **options}
    return getattr(transformers, network)(getattr(transformers, config)(**options)).eval()


@pytest.mark.parametrize("family", TOKENS)
def test_attention_and_hidden_states_are_the_networks_own(family):
    config, network, prefix, read = TOKENS[family]
    net = built(config, network)
    model = from_huggingface(net, device="cpu")
    assert (model.family, model.grid, model.num_prefix_tokens) == ("vit", (8, 8), prefix)
    assert bool(model.num_classes) == ("Classification" in network) != model.features
    images = noise(model, 0)
    net.set_attn_implementation("eager")
    theirs = net(images, output_attentions=True, output_hidden_states=True)
    for one, other in zip(attention(model.net, images, model.attention), theirs.attentions, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    numbered = [name for name in model.layers if name.split(".")[-1].isdigit()]
    seen = capture(model.net, images, numbered).layers
    assert torch.allclose(seen[numbered[0]], theirs.hidden_states[1], atol=1e-5) and len(numbered) == 2
    from vizcore.methods.tokens import readout

    start = readout(model.net, model.grid, model.num_prefix_tokens)[0]
    assert start.nonzero().flatten().tolist() == list(read)


def test_swin_and_convnext_have_maps():
    swin = built(
        "SwinConfig", "SwinForImageClassification", patch_size=4, embed_dim=24, depths=[2, 2],
        num_heads=[2, 4], window_size=4,
    )  # fmt: skip
    convnext = built(
        "ConvNextConfig", "ConvNextForImageClassification", hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 2, 1]
    )
    for net, grid in ((swin, (8, 8)), (convnext, (2, 2))):
        model = from_huggingface(net, device="cpu")
        assert model.layouts[model.cam_layer].grid == grid and not model.attention and model.no_rollout
        assert METHODS["LayerCAM"].make(model, noise(model, 0), 1).max() > 0


def timms(net):
    """The same weights, in timm's names."""
    state, own = net.state_dict(), {}
    for name in ("cls_token", "position_embeddings"):
        own[{"cls_token": "cls_token", "position_embeddings": "pos_embed"}[name]] = state[
            f"vit.embeddings.{name}"
        ]
    pairs = {
        "patch_embed.proj": "vit.embeddings.patch_embeddings.projection",
        "norm": "vit.layernorm",
        "head": "classifier",
    }
    for k in range(2):
        block, layer = f"blocks.{k}", f"vit.layers.{k}"
        pairs |= {
            f"{block}.norm1": f"{layer}.layernorm_before", f"{block}.norm2": f"{layer}.layernorm_after",
            f"{block}.attn.proj": f"{layer}.attention.o_proj", f"{block}.mlp.fc1": f"{layer}.mlp.fc1",
            f"{block}.mlp.fc2": f"{layer}.mlp.fc2",
        }  # fmt: skip
        for kind in ("weight", "bias"):
            parts = [state[f"{layer}.attention.{one}_proj.{kind}"] for one in "qkv"]
            own[f"{block}.attn.qkv.{kind}"] = torch.cat(parts)
    for ours, theirs in pairs.items():
        own |= {f"{ours}.{kind}": state[f"{theirs}.{kind}"] for kind in ("weight", "bias")}
    vit = timm.models.VisionTransformer(
        img_size=64, patch_size=8, embed_dim=48, depth=2, num_heads=3, mlp_ratio=2, num_classes=5
    )
    vit.load_state_dict(own)
    for module in vit.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = net.config.layer_norm_eps
    return vit


def test_the_same_weights_through_timm_give_the_same_maps():
    from test_networks import own

    net = built("ViTConfig", "ViTForImageClassification", num_labels=5)
    for parameter in net.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    ours, theirs = from_huggingface(net, device="cpu"), own(timms(net))
    images = noise(ours, 1)
    assert torch.allclose(ours.net(images), theirs.net(images), atol=1e-4)
    for method in ("Grad-CAM", "HiResCAM", "relevance", "rollout", "attention", "gradient"):
        one, other = (METHODS[method].make(model, images, 2) for model in (ours, theirs))
        assert (one - other).abs().max() <= 2e-4 * other.abs().max()


def test_a_folder_is_read_without_running_what_is_in_it(tmp_path):
    net = built("ViTConfig", "ViTForImageClassification", id2label={0: "a cat", 1: "a dog"})
    net.save_pretrained(tmp_path, safe_serialization=True)
    size = {"height": 64, "width": 64}
    transformers.ViTImageProcessor(size=size, image_mean=[0.4] * 3).save_pretrained(tmp_path)
    (tmp_path / "modeling.py").write_text("raise SystemExit('run')")
    model = from_huggingface(tmp_path, device="cpu")
    assert model.labels == ["a cat", "a dog"] and "transformers" in model.source
    assert torch.allclose(model.net(noise(model, 0)), net(noise(model, 0)).logits, atol=1e-5)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ModelError, match=r"pytorch_model.bin can run somebody's code"):
        from_huggingface(tmp_path)


@pytest.mark.parametrize(
    "options, kind",
    [
        ({"problem_type": "multi_label_classification"}, "sigmoid"),
        ({"num_labels": 1}, "values"),
        ({"num_labels": 3}, "softmax"),
    ],
)
def test_scores_are_what_the_configuration_says(options, kind):
    from vizcore.scores import kind_of

    model = from_huggingface(built("ViTConfig", "ViTForImageClassification", **options), device="cpu")
    assert kind_of(model.net, model.num_classes) == kind
