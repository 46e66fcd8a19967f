"""Do links that people have keep showing the same? Opens one for each key of each page and compares.

    python -m benchmarks links             all of them, beside what ``tests/links.json`` says that they show
    python -m benchmarks links --record    write that file anew: only for links that nobody could have before

What is compared is the page, the picture, both networks and every option that the page has drawn.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ui.address.keys import known

from .whole_app import whole_app

RECORDED = Path(__file__).parent.parent / "tests" / "links.json"
PAIR = {"picture": "Honeycomb in bands", "a": "texture_resnet", "b": "texture_vit"}
CAT = {"picture": "Chelsea the cat", "a": "efficientnet_lite0", "b": "texture_vit"}
OWN, CHANNEL = {"m_part": "Make your own"}, {"m_part": "Make your own", "m_kind": "a channel"}
PAGES: dict[str, list[dict]] = {  # a link each; without the networks, those of ``PAIR``
    "home": [{}, CAT, {"h_class": "banded"}, {"weights_a": "random"}, {"weights_b": "random", "seed_b": "3"}],
    "lessons": [{}, {"picture": "A rocket"}],
    "your_model": [{"a": "efficientnet_lite0"}],
    "feature_maps": [
        {"x": "20"}, {"y": "80"}, {"opacity_a": "40"}, {"opacity_b": "10"}, {"layer_a": "layer2.0"},
        {"layer_b": "blocks.2"}, {"view_a": "Similar places"}, {"view_b": "PCA colours"},
        {"view_b": "Attention", "query_b": "the point"}, {"view_b": "Attention", "head_b": "head 1"},
        {"view_a": "Channels", "order_a": "index"}, {"view_a": "Channels", "channels_a": ["3", "5"]},
        {"view_b": "Channels", "sheet_b": "2"}, {"view_a": "Change"}, {**CAT, "layer_a": "blocks.2.1"},
        {"weights_a": "random", "seed_a": "7"},
    ],
    "attention_rollout": [
        {"r_class": "banded"}, {"r_query": "the point", "x": "30", "y": "60"}, {"r_residual": "20"},
        {"r_discard": "40"}, {"r_fusion": "max"}, {"r_prefix": "false"}, {"r_head": "head 2"},
        {"r_method": "gradient-weighted rollout"}, {"r_opacity": "35"}, {"r_colours": "inferno"},
        {"r_scale": "shared"}, {"r_block": "3"}, {"r_proof": "true"}, {"r_heads": "true"}, CAT,
    ],
    "grad_cam": [
        {"g_class": "scaly"}, {"g_over": "difference"}, {"g_opacity": "30"}, {"g_region": "false"},
        {"g_five": "true"}, {"g_others": "true"}, {"g_part": "Cross-test", "g_left": "40"},
        {"g_part": "Noise", "g_noise": "10"}, {"g_part": "Randomised weights"}, {"g_baseline": "mean"},
        {"g_steps": "8"}, {"g_method_a": "LayerCAM"}, {"g_method_b": "relevance"}, {"g_layer_a": "layer2.0"},
        {"g_layer_b": "blocks.2"}, {"g_method_a": "Score-CAM"}, {**CAT, "g_class": "Egyptian cat"},
    ],
    "saliency": [
        {"s_class": "scaly"}, {"s_class": "banded", "s_not": "woven"}, {"s_view": "greyscale"},
        {"s_view": "over the picture", "s_opacity": "50"}, {"s_region": "false"}, {"s_baseline": "blur"},
        {"s_steps": "100"}, {"s_rule": "midpoint"}, {"s_noise": "25"}, {"s_draws": "10"}, {"s_window": "20"},
        {"s_sheet": "true", "s_rows": ["A rocket"]}, {"s_first": "true"}, {"s_part": "Noise"},
        {"s_method_a": "SmoothGrad"}, {"s_method_b": "occlusion"}, {"s_method_a": "guided backpropagation"},
    ],
    "activation_maximization": [
        {"m_look": "banded"}, OWN, {**OWN, "m_who": "A"}, {**OWN, "m_class": ["scaly", "banded"]},
        {**OWN, "m_recipe": "classic"}, {**OWN, "m_paint": "pixels"}, {**OWN, "m_objective": "margin"},
        {**OWN, "m_seed": "4"}, {**OWN, "m_parts": ["jitter", "crop"]}, {**OWN, "m_steps": "32"},
        {**OWN, "m_views": "2"}, {**OWN, "m_l2": "3.0"}, {**OWN, "m_tv": "1.0"}, {**OWN, "m_stop": "true"},
        {**CHANNEL, "m_layer_a": "layer2.0"}, {**CHANNEL, "m_channel_b": ["7"]},
        {**CHANNEL, "m_place_a": "in the middle"},
    ],
    "similarity": [
        {"k_n": "64"}, {"k_seed": "3"}, {"k_layers": "all"}, {"k_features": "mean over places"},
        {"k_kernel": "RBF", "k_bandwidth": "0.8"}, {"k_control": "false"}, {"k_biased": "true"},
    ],
}  # fmt: skip
# links of before version 2 that leave to the app what it opened with then: a drawn picture, and the top class
OPENED: dict[str, list[dict]] = {
    "home": [
        {"h_class": "banded"}, {"weights_a": "random"}, {"a": "efficientnet_lite0", "b": "photo_vit"},
        {"h_opacity": "20"},
    ],
    "lessons": [{"b": "texture_resnet"}],
    "your_model": [{"t_n": "12"}],
    "feature_maps": [{"layer_a": "layer2.0"}, {"x": "20"}],
    "attention_rollout": [{"r_residual": "20"}, {"picture": "Four photographs"}],
    "grad_cam": [{"g_method_a": "LayerCAM"}, {"picture": "Four photographs"}],
    "saliency": [{"s_view": "greyscale"}, {"picture": "A picture whose answer is known", "p_seed": "3"}],
    "activation_maximization": [{"m_look": "banded"}],
    "similarity": [{"k_n": "64"}, {"picture": "A rocket", "k_n": "64"}],
}  # fmt: skip


def links() -> list[tuple[str, dict]]:
    """Every page's name with the query of a link to it."""
    full = [(page, PAIR | link) for page, found in PAGES.items() for link in found]
    return full + [(page, link) for page, found in OPENED.items() for link in found]


def shown(visit, page: str, link: dict) -> dict:
    """What a link shows: page, title of the picture, networks, and the options that were drawn."""
    test = visit(page, link)
    if test.exception:
        raise RuntimeError(f"{page} {link}: {test.exception[0].value}")
    pickers = {}
    if "chosen" in test.session_state:  # else a page without maps
        picture, *choices = test.session_state["chosen"]
        networks = [[one.name, one.weights, one.seed] for one in choices]
        pickers = {"picture": picture.title, "networks": networks}
    options = {name: test.session_state[name] for name in known(test.session_state)}
    return {
        "title": test.title[0].value,
        **pickers,
        "options": options,
        "refused": [block.value for block in test.warning if block.value.startswith("In this link")],
    }


def recorded() -> list[dict]:
    """The links of the file, each with what it showed."""
    return json.loads(RECORDED.read_text())


def differing(before: dict, now: dict) -> list[str]:
    """What a link shows otherwise than before, by its names; options that are new don't count."""
    options = [name for name in before["options"] if before["options"][name] != now["options"].get(name)]
    return options + [name for name in before if name != "options" and before[name] != now[name]]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks links", description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write the file anew")
    arguments = parser.parse_args(argv)
    with whole_app() as visit:
        found = [{"page": page, "link": link, "shows": shown(visit, page, link)} for page, link in links()]
    if arguments.record:
        RECORDED.write_text("[\n" + ",\n".join(json.dumps(one) for one in found) + "\n]\n")
        print(f"{len(found)} links written")
        return 0
    known = {(one["page"], json.dumps(one["link"])): one["shows"] for one in recorded()}
    wrong = 0
    for one in found:
        differ = differing(known[one["page"], json.dumps(one["link"])], one["shows"])
        wrong += bool(differ)
        if differ:
            print(f"{one['page']} {one['link']}: {', '.join(differ)}")
    print(f"{len(found) - wrong} of {len(found)} links show what they showed")
    return int(wrong > 0)
