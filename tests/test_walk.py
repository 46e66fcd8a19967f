"""What pages say in many states, beside figures of one's own; ``python -m benchmarks walk`` takes all."""

import pytest

from benchmarks import walk

RESNET, VIT, PHOTO = "texture_resnet", "texture_vit", "efficientnet_lite0"
STATES = [  # page, picture, A, B, class asked for
    ("home", "A spiral on bands", (RESNET, "trained"), (VIT, "trained"), "spiralled"),
    ("home", "A spiral on bands", (RESNET, "random"), (VIT, "trained"), "banded"),
    ("home", "A spiral on bands", (VIT, "trained"), (RESNET, "random"), "spiralled"),
    ("home", "Honeycomb in bands", (RESNET, "trained"), (VIT, "trained"), "honeycombed"),
    ("home", "Honeycomb in bands", (VIT, "random"), (RESNET, "random"), "banded"),
    ("home", "A spiral on bands", (PHOTO, "trained"), (VIT, "trained"), "spiralled"),
    ("home", "Honeycomb in bands", (PHOTO, "trained"), (PHOTO, "random"), "no such class"),
    ("home", "Chelsea the cat", (PHOTO, "trained"), (VIT, "trained"), "Egyptian cat"),
    ("home", "Chelsea the cat", (PHOTO, "random"), (PHOTO, "trained"), "Egyptian cat"),
    ("home", "A rocket", (RESNET, "trained"), (VIT, "random"), "no such class"),
    ("home", "A spiral on bands", walk.LOST, (VIT, "trained"), "spiralled"),
    ("home", "A rocket", (PHOTO, "trained"), walk.LOST, "missile"),
    ("grad_cam", "A spiral on bands", (RESNET, "random"), (VIT, "trained"), "scaly"),
    ("grad_cam", "Honeycomb in bands", (PHOTO, "random"), (VIT, "trained"), "spiralled"),
    ("grad_cam", "Chelsea the cat", (PHOTO, "trained"), (PHOTO, "random"), "Egyptian cat"),
    ("grad_cam", "A spiral on bands", walk.LOST, (VIT, "trained"), "spiralled"),
    ("grad_cam", "A spiral on bands", (VIT, "trained"), walk.LOST, "spiralled"),
    ("saliency", "Honeycomb in bands", (RESNET, "trained"), (PHOTO, "random"), "scaly"),
    ("saliency", "A spiral on bands", walk.LOST, (VIT, "trained"), "spiralled"),
    ("attention_rollout", "A spiral on bands", (RESNET, "trained"), (VIT, "random"), "scaly"),
    ("attention_rollout", "A rocket", walk.LOST, (VIT, "trained"), "no such class"),
    ("feature_maps", "A rocket", (RESNET, "random"), (PHOTO, "trained"), ""),
    ("feature_maps", "Chelsea the cat", walk.LOST, (VIT, "random"), ""),
]


@pytest.mark.parametrize("page", walk.PAGES)
def test_every_sentence_is_true(page):
    wrong = {}
    with walk.app() as visit:
        for one in (walk.state(*state) for state in STATES if state[0] == page):
            if found := walk.false_sentences(visit(one), one):
                wrong[str(walk.link(one))] = found
    assert not wrong


def test_a_false_sentence_is_found():
    """The checks can fail: each of these is said of a state in which it isn't so."""
    of = walk.state("home", "A spiral on bands", (RESNET, "random"), (VIT, "trained"), "spiralled")
    for sentence in (
        "Both maps point to where “spiralled” is.",
        "The map of Texture ResNet points to where “spiralled” is.",
        "The map of Texture ViT points elsewhere.",
        "Texture ViT has random weights: it learnt nothing.",
        "Texture ViT has no class “spiralled”.",
        "Both name “spiralled” first, which is right.",
        "A right answer doesn't make a map right.",
        "Nobody has marked where the answer lies in this picture.",
        "So nothing is compared.",
        "The map of Texture ViT has no positive evidence for “spiralled” in any one place.",
        "Texture ResNet says:",
        "56% of the heat lies on the spiral (35% of the picture); its maximum lies elsewhere.",
        "90% of the heat lies on the spiral (35% of the picture); its maximum lies there too.",
        "56% of the heat lies on the bands (35% of the picture); its maximum lies there too.",
        "No positive evidence anywhere.",
        "The map is right.",  # nobody can check it
    ):
        assert walk.false_words(of, "b", sentence), sentence
