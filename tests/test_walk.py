"""What pages say in many states, beside figures of one's own; ``python -m benchmarks walk`` takes all."""

import pytest

from benchmarks import walk

RESNET, VIT, PHOTO = "texture_resnet", "texture_vit", "efficientnet_lite0"
STATES = [  # page, picture, A, B, class asked for; which turn of what a page has to open
    ("home", "A spiral on bands", (RESNET, "trained"), (VIT, "trained"), "spiralled"),
    ("home", "A spiral on bands", (RESNET, "random"), (VIT, "trained"), "banded"),
    ("home", "Honeycomb in bands", (RESNET, "trained"), (VIT, "trained"), "honeycombed"),
    ("home", "A spiral on bands", (PHOTO, "trained"), (VIT, "trained"), "spiralled"),
    ("home", "Chelsea the cat", (PHOTO, "trained"), (VIT, "trained"), "Egyptian cat"),
    ("home", "A rocket", (PHOTO, "trained"), walk.LOST, "missile"),
    ("grad_cam", "Honeycomb in bands", (PHOTO, "random"), (VIT, "trained"), "spiralled"),
    ("grad_cam", "A spiral on bands", walk.LOST, (VIT, "trained"), "spiralled"),
    ("saliency", "A spiral on bands", walk.LOST, (VIT, "trained"), "spiralled"),
    ("attention_rollout", "A rocket", walk.LOST, (VIT, "trained"), "no such class"),
    # with what is closed opened, and another method and test of the maps by turns
    ("saliency", "Honeycomb in bands", (RESNET, "trained"), (VIT, "trained"), "banded", 1),
    ("attention_rollout", "A spiral on bands", (VIT, "trained"), (RESNET, "trained"), "banded", 0),
    ("feature_maps", "A rocket", (RESNET, "random"), (PHOTO, "trained"), ""),
]


@pytest.mark.parametrize("page", walk.PAGES)
def test_every_sentence_is_true(page):
    wrong = {}
    with walk.app() as visit:
        for one in (walk.state(*state) for state in STATES if state[0] == page):
            at = visit(one) if not one.opened else walk.press(visit(one))
            if found := walk.false_sentences(at, one):
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
        "spiralled 12%: the class asked for",
        "banded 7%: correlation 1.00",
        "All weights are drawn anew, and the map is still much the same (rank correlation 0.90): evidence "
        "that Grad-CAM here shows the picture more than what Texture ResNet learnt.",
        "Texture ViT had random weights before too, so that says nothing about what is learnt.",
        "Deletion, area: map 0.30, random 0.30 (less is better). Differences: map less random −0.10.",
        "The map is right.",  # nobody can check it
    ):
        assert walk.false_words(of, "b", sentence), sentence


def test_what_is_opened_is_looked_at():
    """Small maps, other methods' maps and a test of the maps: each is matched by a check of its own."""
    one = walk.state("grad_cam", "A spiral on bands", (RESNET, "trained"), (VIT, "trained"), "banded", 1)
    with walk.app() as visit:
        found = list(walk.said(walk.press(visit(one)), one))
    assert {said.method for said in found} >= {"Grad-CAM", "relevance", "rollout", "attention"}
    for begin, least in (("Deletion, area", 2), ("Insertion, area", 2), ("spiralled ", 2)):
        assert sum(said.words.startswith(begin) for said in found) >= least, begin
    swapped = walk.state("grad_cam", "A spiral on bands", (VIT, "trained"), (RESNET, "trained"), "banded", 1)
    swapped = swapped._replace(asked="spiralled")
    wrong = [x for said in found for x in walk.false_words(swapped, said.slot, said.words)]
    assert any("correlation" in words for words in wrong)
