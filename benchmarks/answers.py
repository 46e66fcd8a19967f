"""How long the app's long answers take: python -m benchmarks answers [PART ...].

The whole app in this process, without a browser: from the press of a button to the end of its run, and to the
first thing that is drawn, by the clock on the wall. Both networks are asked at once, as the pages do.
"""

import argparse
import logging
import time

import ui.warmup  # noqa: F401  before torch, as the app does
from benchmarks.whole_app import whole_app
from ui import jobs

PHOTOGRAPHS = {"a": "efficientnet_lite0", "b": "photo_vit"}
TEXTURES = {"a": "texture_resnet", "b": "texture_vit"}
OWN = {"m_part": "Make your own", "m_recipe": "fast", "m_class": "goldfish"}
PARTS = {  # page, query of the link, buttons with what they start
    "curves": ("grad_cam", PHOTOGRAPHS, {"g_curves_button": "curves of a photograph, 16 steps"}),
    "random": (
        "grad_cam",
        PHOTOGRAPHS | {"g_part": "Randomised weights"},
        {"g_random_button": "randomised weights"},
    ),
    "actmax": (
        "activation_maximization",
        PHOTOGRAPHS | OWN,
        {"m_run_button": "“fast” activation maximisation, 48 steps", "m_cross_button": "Ask the networks"},
    ),
    "similarity": (
        "similarity",
        TEXTURES | {"k_seed": "1"},
        {"k_cka_button": "similarity of 128 pictures, the texture pair"},
    ),
    "photographs": (
        "similarity",
        PHOTOGRAPHS,
        {"k_cka_button": "similarity of 128 pictures, EfficientNet-Lite0 and the Photo ViT"},
    ),
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks answers", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS))
    asked = parser.parse_args(argv).parts or PARTS
    logging.disable(logging.WARNING)
    first, run = [], jobs._run

    def heard(held, bar, place, draw, keep_all):
        def noted(found):
            draw(found)
            first.append(time.perf_counter())

        run(held, bar, place, noted, keep_all)

    jobs._run = heard
    print("| what, of both networks | first drawn, s | all of it, s |\n|---|---|---|")
    with whole_app() as visit:
        for page, query, buttons in (PARTS[part] for part in asked):
            at = visit(page, query)
            for key, words in buttons.items():
                first.clear()
                begun = time.perf_counter()
                at.button(key=key).click().run(timeout=600)
                assert not at.exception, at.exception[0].value
                print(f"| {words} | {first[0] - begun:.2f} | {time.perf_counter() - begun:.2f} |", flush=True)
    return 0
