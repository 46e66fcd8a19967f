"""Networks of transformers: their own attention and hidden states, and the same maps as by timm."""

import io
import json
import zipfile

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load, save
from test_hostile import says
from test_networks import noise
from test_probe import pack

from vizcore.capture import capture
from vizcore.methods.attention import attention
from vizcore.methods.table import METHODS
from vizcore.networks.checkpoints import ModelError

transformers = pytest.importorskip("transformers")

from vizcore.networks.hf_files import files_of_zip  # noqa: E402
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


def test_a_convnext_whose_last_norm_puts_out_tokens_is_a_cnn():
    net = built(
        "DINOv3ConvNextConfig", "DINOv3ConvNextModel", hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 2, 1]
    )
    model = from_huggingface(net, device="cpu")
    assert (model.family, model.mixing, model.grid) == ("cnn", "convolution", None)


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
        images = noise(model, 0)
        assert METHODS["LayerCAM"].make(model, images, 1).max() > 0
        theirs = net(images, output_hidden_states=True).hidden_states
        seen = capture(model.net, images, model.layers).layers.values()
        for state in theirs:  # each is one of the layers on offer
            same = [one for one in seen if one.shape == state.shape]
            assert any(torch.allclose(one, state, atol=1e-5) for one in same)


SQUARE = {"height": 64, "width": 64}
PROCESSORS = {  # settings, with sizes of which an odd rest is cut off
    "ConvNextImageProcessor": {"size": {"shortest_edge": 64}, "crop_pct": 0.87},
    "BitImageProcessor": {"size": {"shortest_edge": 73}, "crop_size": SQUARE, "image_mean": [0.1, 0.5, 0.9]},
    "MobileViTImageProcessor": {"size": {"shortest_edge": 71}, "crop_size": SQUARE},  # blue first, 0 to 1
    "PoolFormerImageProcessor": {"size": {"shortest_edge": 64}, "crop_size": SQUARE},
    "BeitImageProcessor": {"size": SQUARE, "do_normalize": False},
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_picture_is_what_its_processor_makes_of_it(name):
    processor = getattr(transformers, name)(**PROCESSORS[name])
    model = from_huggingface(built("ViTConfig", "ViTForImageClassification"), processor, device="cpu")
    noise = np.random.default_rng(0).integers(0, 256, (190, 310, 3), dtype=np.uint8)
    for image in (Image.fromarray(noise), Image.fromarray(noise.transpose(1, 0, 2))):
        theirs = processor(images=image, return_tensors="pt")["pixel_values"]
        assert torch.allclose(model.preprocess(image), theirs, atol=0.03)
    left, top, right, bottom = model.preprocess.box((310, 190))
    assert (left == 0 or left < 310 - right) and top <= 190 - bottom  # of an odd rest the smaller half


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        (
            "ViTImageProcessor",
            {"size": {"height": 20000, "width": 64}},
            "sides of 20000 pixels, and 1024 are the most",
        ),
        ("PixtralImageProcessor", {}, "can't be followed .its size is given as longest_edge"),
        (
            "DetrImageProcessor",
            {"size": {"shortest_edge": 64, "longest_edge": 90}},
            "one picture and 64 × 96",
        ),
        ("LevitImageProcessor", {"size": {"shortest_edge": 64}, "crop_size": SQUARE}, "another picture than"),
    ],
)
def test_a_processor_that_is_not_followed_is_one_sentence(name, settings, words):
    processor = getattr(transformers, name)(**settings)
    with pytest.raises(ModelError, match=words) as error:
        from_huggingface(built("ViTConfig", "ViTForImageClassification"), processor, device="cpu")
    assert says(error.value)


def test_a_configuration_of_vast_pictures_is_refused_before_one_is_made():
    net = built("ConvNextConfig", "ConvNextForImageClassification", hidden_sizes=[8] * 4, depths=[1] * 4)
    net.config.image_size = 20000
    with pytest.raises(ModelError, match="sides of 20000 pixels"):
        from_huggingface(net, device="cpu")


def test_a_network_that_reads_its_own_hidden_states_is_shown():
    """transformers keeps them by hooks of its own, which a copy of the network needs too."""
    small = {"hidden_sizes": [8, 16, 24, 32], "depths": [1] * 4, "num_attention_heads": [1, 2, 3, 4]}
    model = from_huggingface(built("SegformerConfig", "SegformerForSemanticSegmentation", **small))
    assert model.cam_layer and not model.num_classes


def test_a_network_that_masks_its_picture_by_lot_is_refused():
    for network in ("ViTMAEModel", "ViTMAEForPreTraining"):
        with pytest.raises(ModelError, match="draws by lot"):
            from_huggingface(built("ViTMAEConfig", network), device="cpu")


def timms(net, **options):
    """The same weights, in timm's names: of a ViT with classes, or of DINOv2."""
    state, dino = net.state_dict(), "layernorm.weight" in net.state_dict()
    top = "" if dino else "vit."
    layers, attention = ("encoder.layer", "attention") if dino else ("vit.layers", "attention")
    norms = ("norm1", "norm2") if dino else ("layernorm_before", "layernorm_after")
    own = {
        "cls_token": state[f"{top}embeddings.cls_token"],
        "pos_embed": state[f"{top}embeddings.position_embeddings"],
    }
    pairs = {
        "patch_embed.proj": f"{top}embeddings.patch_embeddings.projection",
        "norm": f"{top}layernorm",
        **({} if dino else {"head": "classifier"}),
    }
    for k in range(2):
        block, layer = f"blocks.{k}", f"{layers}.{k}"
        pairs |= {
            f"{block}.norm1": f"{layer}.{norms[0]}", f"{block}.norm2": f"{layer}.{norms[1]}",
            f"{block}.attn.proj": f"{layer}.{attention}.o_proj", f"{block}.mlp.fc1": f"{layer}.mlp.fc1",
            f"{block}.mlp.fc2": f"{layer}.mlp.fc2",
        }  # fmt: skip
        for kind in ("weight", "bias"):
            parts = [state[f"{layer}.{attention}.{one}_proj.{kind}"] for one in "qkv"]
            own[f"{block}.attn.qkv.{kind}"] = torch.cat(parts)
        for n in (1, 2) if dino else ():
            own[f"{block}.ls{n}.gamma"] = state[f"{layer}.layer_scale{n}.lambda1"]
    for ours, theirs in pairs.items():
        own |= {f"{ours}.{kind}": state[f"{theirs}.{kind}"] for kind in ("weight", "bias")}
    small = {"img_size": 64, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3}
    vit = timm.models.VisionTransformer(**small, **options)
    vit.load_state_dict(own)
    for module in vit.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = net.config.layer_norm_eps
    return vit


def shaken(net):
    """With weights as large as trained ones: fresh ones leave nothing to see."""
    for parameter in net.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return net


def same(ours, theirs, images, methods, target):
    assert torch.allclose(ours.net(images), theirs.net(images), atol=1e-4)
    for method in methods:
        one, other = (METHODS[method].make(model, images, target(model)) for model in (ours, theirs))
        assert other.abs().max() > 0 and (one - other).abs().max() <= 2e-4 * other.abs().max(), method


def test_the_same_weights_through_timm_give_the_same_maps():
    from test_networks import own

    net = shaken(built("ViTConfig", "ViTForImageClassification", num_labels=5))
    ours, theirs = from_huggingface(net, device="cpu"), own(timms(net, mlp_ratio=2, num_classes=5))
    methods = "Grad-CAM", "HiResCAM", "relevance", "rollout", "attention", "gradient"
    same(ours, theirs, noise(ours, 1), methods, lambda model: 2)


def test_a_dinov2_through_timm_gives_the_same_maps():
    from test_networks import own

    from vizcore.objectives import embedding, similarity

    net = shaken(built("Dinov2Config", "Dinov2Model"))
    ours, theirs = from_huggingface(net, device="cpu"), own(timms(net, num_classes=0, init_values=1.0))
    images, other = noise(ours, 1), noise(ours, 2)
    assert (ours.grid, ours.num_prefix_tokens) == (theirs.grid, theirs.num_prefix_tokens) == ((8, 8), 1)
    wanted = embedding(theirs, other)[0]
    methods = "rollout", "attention", "gradient"
    same(ours, theirs, images, methods, lambda model: similarity(model, wanted))
    layers = "encoder.layer.0", "blocks.0"
    maps = [
        METHODS["LayerCAM"].make(model, images, similarity(model, wanted), layer=layer)
        for model, layer in zip((ours, theirs), layers, strict=True)
    ]
    assert maps[1].max() > 0 and (maps[0] - maps[1]).abs().max() <= 2e-4 * maps[1].max()


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


# ---------------------------------------------------------------- zips


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    """What a folder of a small ViT holds, its weights in several parts."""
    folder = tmp_path_factory.mktemp("vit")
    net = built("ViTConfig", "ViTForImageClassification", id2label={0: "a cat", 1: "a dog"})
    net.save_pretrained(folder, max_shard_size="60KB")
    size = {"height": 64, "width": 64}
    transformers.ViTImageProcessor(size=size, image_mean=[0.4] * 3).save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def changed(files, name="config.json", **changes) -> dict[str, bytes]:
    stored = json.loads(files[name]) | changes
    return {
        **files,
        name: json.dumps({key: stored[key] for key in stored if stored[key] is not None}).encode(),
    }


def of_zip(members):
    return from_huggingface(files_of_zip(pack(members)), device="cpu")


@pytest.mark.parametrize("inside", ["", "mine/", "a/b/"])
def test_a_zip_of_a_folder_becomes_a_network_with_all_of_its_parts(files, inside):
    assert sum(name.endswith(".safetensors") for name in files) > 1
    members = {inside + name: data for name, data in files.items()}
    model = of_zip({**members, f"{inside}more/config.json": b"no", f"{inside}code.py": b"raise SystemExit"})
    net = built("ViTConfig", "ViTForImageClassification", id2label={0: "a cat", 1: "a dog"})
    images = noise(model, 0)
    assert model.labels == ["a cat", "a dog"] and model.attention
    assert torch.allclose(model.net(images), net(images).logits, atol=1e-5)
    transform = model.preprocess.transform.transforms
    assert next(one for one in transform if type(one).__name__ == "Normalize").mean == (0.4,) * 3


def test_without_a_processor_it_is_said_what_is_done(files):
    model = of_zip({name: data for name, data in files.items() if "processor" not in name})
    assert model.num_classes == 2 and "without a processor" in model.source


def without(files, ending) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if not name.endswith(ending)}


def two_parts(files) -> dict[str, bytes]:
    return without(files, ".index.json")


def fewer_weights(files) -> dict[str, bytes]:
    state = {key: value for name, data in files.items() if name.endswith(".safetensors")
             for key, value in load(data).items() if not key.startswith("classifier")}  # fmt: skip
    return {**without(without(files, ".safetensors"), ".index.json"), "model.safetensors": save(state)}


WRONG = {
    "no configuration": (lambda files: without(files, "config.json"), "config.json is missing|no folder"),
    "a type that nobody knows": (lambda files: changed(files, model_type="mine"), "'mine' as model_type"),
    "no type": (lambda files: changed(files, model_type=None), "nothing as model_type"),
    "code of its own": (
        lambda files: changed(files, architectures=["MyViT"], auto_map={"AutoModel": "code.MyViT"}),
        "asks for 'MyViT'",
    ),
    "no network": (lambda files: changed(files, architectures=["AutoModel.from_pretrained"]), "asks for"),
    "another shape": (lambda files: changed(files, hidden_size=96), "some have another shape"),
    "more layers": (lambda files: changed(files, num_hidden_layers=3), "are missing .first vit.layers.2"),
    "fewer weights": (fewer_weights, "2 are missing .first classifier"),
    "a part is missing": (
        lambda files: without(files, "00001-of-" + parts(files)),
        "1 are missing .first model-00001",
    ),
    "no index": (two_parts, "files of weights, and no model.safetensors.index.json"),
    "pickles": (
        lambda files: {**without(files, ".safetensors"), "pytorch_model.bin": b"x"},
        "can run somebody's code",
    ),
    "no weights": (lambda files: without(files, ".safetensors"), "there are no weights"),
    "a broken configuration": (lambda files: {**files, "config.json": b"{"}, "no JSON object"),
    "a configuration that is a list": (lambda files: {**files, "config.json": b"[]"}, "no JSON object"),
    "a processor of its own": (
        lambda files: changed(files, processor_of(files), image_processor_type="MyProcessor"),
        "image processor is 'MyProcessor'",
    ),
    "broken weights": (
        lambda files: {**without(files, ".safetensors"), "model.safetensors": b"x" * 99},
        "missing|neither",
    ),
    "two folders": (
        lambda files: {f"{place}/{name}": data for place in "ab" for name, data in files.items()},
        "2 folders with a config.json",
    ),
    "out of it": (lambda files: {**files, "../config.json": b"{}"}, "leads out of it"),
    "a zip within": (lambda files: {"mine.zip": pack(files)}, "another zip"),
    "a name for a class that isn't there": (
        lambda files: changed(files, id2label={"0": "a cat", "7": "a dog"}),
        "names 2 classes, and one of them is number 7",
    ),
    "a name that can't be shown": (
        lambda files: changed(files, id2label={"0": "a cat", "1": "a\u202edog\n# x"}),
        "characters that can't be shown",
    ),
    "more classes than memory": (
        lambda files: changed(files, id2label=None, label2id=None, num_labels=10**12),
        "says 1,000,000,000,000 as num_labels",
    ),
    "more layers than weights": (
        lambda files: changed(files, num_hidden_layers=10**9),
        "says 1,000,000,000 as num_hidden_layers",
    ),
    "a size larger than memory": (
        lambda files: changed(files, processor_of(files), size={"height": 10**6, "width": 10**6}),
        "sides of 1000000 pixels",
    ),
    **{
        f"a processor with {setting}": (
            lambda files, setting=setting: changed(files, processor_of(files), **setting),
            "can't be followed|makes another picture",
        )
        for setting in [
            {"image_std": [0, 0, 0]},
            {"image_mean": ["red", "green", "blue"]},
            {"image_mean": [0.5] * 4, "image_std": [0.5] * 4},
            {"size": {"height": -5, "width": 32}},
            {"size": {"longest_edge": 32}},
            {"resample": 99},
            {"rescale_factor": 0},
        ]
    },
    "text and language": (
        lambda files: changed(files, model_type="bert", architectures=["BertModel"]),
        "BertModel|fit",
    ),
}


def parts(files) -> str:
    return next(name for name in files if "-of-" in name).rpartition("-of-")[2]


def processor_of(files) -> str:
    return next(name for name in files if "processor" in name)


@pytest.mark.parametrize("name", WRONG)
def test_a_folder_that_is_none_is_one_sentence(name, files):
    change, words = WRONG[name]
    with pytest.raises(ModelError, match=words) as error:
        of_zip(change(files))
    assert says(error.value)


def test_a_bomb_is_refused_before_it_is_unpacked(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("config.json", files["config.json"])
        archive.writestr("model.safetensors", bytes(300_000_000))
    with pytest.raises(ModelError, match="unpacks to far more") as error:
        files_of_zip(buffer.getvalue())
    assert says(error.value)


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
