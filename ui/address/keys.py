"""The table of all keys that an address holds.

A key is that of a widget. What the table lacks is in no link; what it has can't be called or worded otherwise
without a row in ``changes.CHANGES``: people keep links.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable

from vizcore.drawing.render import COLOUR_MAPS

from .kinds import Key, choice, flag, note, number, several, text, texts, whole, wholes

TESTS = "Curves", "Cross-test", "Randomised weights", "Noise"
EXPERIMENTS = "Paint it out", "Guess first", "Fool it"
VIEWS = "Attention", "Channels", "PCA colours", "Similar places", "Norms", "Change"
OPACITY = whole(0, 100, 70)
COLOURS = choice(*COLOUR_MAPS, default=next(iter(COLOUR_MAPS)))
SCALE = choice("own", "shared", default="own")
PARTS = "jitter", "crop", "rotation", "perspective", "flip", "colour", "blur"

EACH = {  # of either network: its slot follows
    "weights": choice("trained", "random", default="trained"),
    "seed": whole(0, 9999, 0),
    "layer": text(),
    "view": choice(*VIEWS),
    "opacity": OPACITY,
    "order": choice("strongest", "index", default="strongest"),
    "sheet": whole(1, 99999, 1),
    "channels": wholes(0, 99999),
    "query": text(),
    "head": text(),
    "g_method": text(),
    "g_layer": text(),
    "s_method": text(),
    "i_heads": texts(),
    "i_blocks": texts(),
    "i_layer": text(),
    "i_channels": wholes(0, 99999),
    "i_places": texts(),
    "i_from": text(),
    "i_more": flag(),
    "m_layer": text(),
    "m_channel": texts(8),
    "m_place": choice("everywhere", "in the middle", default="everywhere"),
    "e_best": text(),
}
KEYS: dict[str, Key] = {
    "picture": text(),
    "a": text(),
    "b": text(),
    "x": whole(0, 100, 50),
    "y": whole(0, 100, 50),
    **{f"{name}_{slot}": key for name, key in EACH.items() for slot in "ab"},
    "f_colours": COLOURS,
    # a picture that is made
    "p_kind": choice("mosaic", "cut-outs", "region", default="mosaic"),
    "p_cells": texts(9),
    "p_things": texts(4),
    "p_one": text(),
    "p_ground": text(),
    "p_seed": whole(0, 9999, 0),
    "p_left": whole(0, 99, 25),
    "p_top": whole(0, 99, 25),
    "p_right": whole(1, 100, 75),
    "p_bottom": whole(1, 100, 75),
    "p_names": note(),
    "h_class": text(),
    "h_opacity": OPACITY,
    "h_colours": COLOURS,
    "h_scale": SCALE,
    # attention rollout
    "r_class": text(),
    "r_query": choice("the answer", "the point", default="the answer"),
    "r_residual": whole(0, 100, 50),
    "r_discard": whole(0, 95, 0),
    "r_fusion": choice("mean", "max", "min", default="mean"),
    "r_prefix": flag(True),
    "r_head": text(),
    "r_method": choice("Chefer et al.", "gradient-weighted rollout", default="Chefer et al."),
    "r_opacity": OPACITY,
    "r_colours": COLOURS,
    "r_scale": SCALE,
    "r_block": whole(1, 9999),
    "r_proof": flag(),
    "r_heads": flag(),
    # Grad-CAM
    "g_class": text(),
    "g_not": text(),
    "g_over": choice("both", "difference", "swipe", "a", "b", default="both"),
    "g_opacity": OPACITY,
    "g_colours": COLOURS,
    "g_scale": SCALE,
    "g_region": flag(True),
    "g_five": flag(),
    "g_others": flag(),
    "g_part": choice(*TESTS, default=TESTS[0]),
    "g_baseline": choice("blur", "mean", default="blur"),
    "g_steps": choice(8, 16, 32, default=16),
    "g_left": whole(5, 60, 25),
    "g_depth": whole(0, 9999),
    "g_noise": whole(1, 30, 5),
    # saliency
    "s_class": text(),
    "s_not": text(),
    "s_view": choice("colours", "greyscale", "positive", "negative", "over the picture", default="colours"),
    "s_opacity": OPACITY,
    "s_colours": COLOURS,
    "s_region": flag(True),
    "s_sheet": flag(),
    "s_first": flag(),
    "s_part": choice(*TESTS, default=TESTS[0]),
    "s_rows": texts(),
    "s_rows_model": text(),
    # activation maximisation
    "m_part": choice("Gallery", "Make your own", default="Gallery"),
    "m_look": text(),
    "m_who": choice("both", "A", "B", default="both"),
    "m_kind": choice("a class", "a channel", default="a class"),
    "m_class": texts(8),
    "m_recipe": choice("clean", "vivid", "fast", "classic", default="clean"),
    "m_paint": choice("Fourier", "natural", "pixels"),
    "m_objective": choice("logit", "log-probability", "margin", default="logit"),
    "m_seed": whole(0, 9999, 0),
    "m_parts": several(*PARTS),
    "m_steps": choice(16, 32, 48, 64, 128, 256, 512),
    "m_views": choice(1, 2, 4, 8),
    "m_l2": choice(0.0, 0.3, 1.0, 3.0, 10.0),
    "m_tv": choice(0.0, 0.3, 1.0, 3.0, 10.0),
    "m_stop": flag(None),
    "m_real": flag(),
    # look inside
    "i_part": choice("What places say", "Switch it off", "Concepts", default="What places say"),
    "i_k": whole(2, 8, 5),
    "i_concept": text(),
    "i_set": choice("this picture and its like", "your pictures", default="this picture and its like"),
    "i_kind": choice("heads", "blocks", "channels", "places", "another picture", default="heads"),
    "i_by": choice("as it is", "zero", "mean", "patched"),
    "i_other": text(),
    "i_class": text(),
    "i_show": choice("one class", "names", default="one class"),
    "i_block": whole(1, 9999),
    "i_random": flag(),
    "i_each": choice("zero", "mean", default="zero"),
    "i_opacity": OPACITY,
    "i_colours": COLOURS,
    "i_scale": SCALE,
    # a unit's card
    "u_of": choice("a", "b", default="a"),
    "u_kind": choice("channels", "heads", "classes", default="channels"),
    "u_layer": text(),
    "u_block": text(),
    "u_unit": whole(0, 99999),
    "u_class": text(),
    "u_data": text(),
    "u_n": whole(1, 1024, 256),
    "u_seed": whole(0, 999, 1),
    # two claims
    "c_part": choice("Local or global?", "Shape or texture?", default="Local or global?"),
    "c_depth": whole(0, 100, 0),
    "c_opacity": OPACITY,
    "c_colours": COLOURS,
    "c_change": text(),
    "c_level": whole(0, 9),
    "c_thing": text(),
    "c_other": text(),
    # experiments
    "e_part": choice(*EXPERIMENTS, default=EXPERIMENTS[0]),
    "e_with": choice("blur", "mean", "picture", default="blur"),
    "e_other": text(),
    "e_cover": text(),
    "e_class": text(),
    "e_guess": text(),
    "e_open": flag(),
    "e_whom": choice("a", "b", default="a"),
    "e_size": choice(1, 2, 4, 8, 16, default=2),
    # one's own model
    "y_way": choice("Checkpoint", "Hugging Face", "Pictures", "Python", default="Checkpoint"),
    "y_base": choice("a", "b", default="a"),
    # the table of truth
    "t_n": choice(12, 24, 50, 100, default=12),
    "t_seed": whole(0, 999, 0),
    "t_third": text(),
    "t_slow": flag(),
    # similarity
    "k_data": text(),
    "k_n": whole(1, 2048, 128),
    "k_seed": whole(0, 999, 0),
    "k_layers": choice("blocks", "all", default="blocks"),
    "k_features": choice("all values", "mean over places", default="all values"),
    "k_kernel": choice("linear", "RBF", default="linear"),
    "k_bandwidth": number(0.1, 2.0, 0.5),
    "k_control": flag(True),
    "k_biased": flag(),
    # studies
    "d_study": text(),
    # lessons
    "l_said": texts(12),
    "l_present": flag(),
    "room": text(),
}
PREFIX = {"saliency": "s_", "grad_cam": "gm_"}  # of a page's methods' settings: their names follow


def keys(asked: Iterable[str] = ()) -> dict[str, Key]:
    """The whole table, with the settings of methods, once those are loaded or ``asked`` for.

    They are what the methods say themselves, who need torch, which a first page is shown without.
    """
    if any(name not in KEYS and name.startswith(tuple(PREFIX.values())) for name in asked):
        import vizcore.methods.table  # noqa: F401
    table = sys.modules.get("vizcore.methods.table")
    return KEYS | (_settings(table) if table and hasattr(table, "on_page") else {})


def _settings(table) -> dict[str, Key]:
    found = {}
    for page, prefix in PREFIX.items():
        for method in table.on_page(page).values():
            for name, one in method.settings.items():
                whole_numbers = isinstance(one.options, range)
                low, high = one.options[0], one.options[-1]
                found[f"{prefix}{name}"] = (
                    whole(low, high, one.default)
                    if whole_numbers
                    else choice(*one.options, default=one.default)
                )
    return found


def key(name: str) -> Key:
    """One key of the table, by its name."""
    return KEYS[name] if name in KEYS else keys([name])[name]


def known(names: Container[str]) -> list[str]:
    """Those of some names that are keys, in the order in which an address holds them."""
    return [name for name in keys() if name in names]
