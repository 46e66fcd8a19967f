"""What several questions about one network and one picture share: the input, and a pass."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from typing import Any

import streamlit as st

PASSES = 4  # of a network that are held, for as many pictures
# What a pass holds of a network's weights (all of VGG's classifier) goes with the network.
_passes: weakref.WeakKeyDictionary[Any, OrderedDict[str, Any]] = weakref.WeakKeyDictionary()
_passes_lock = threading.Lock()


@st.cache_resource(max_entries=8, show_spinner=False)
def _inputs(choice, picture_key: str, _model, _image):
    return _model.preprocess(_image)


def inputs(choice, picture_key: str, model, image):
    """A picture as a network's input, (1, 3, H, W): a page asks several things of it, one after the other."""
    return _inputs(choice, picture_key, model, image).clone()


def held_pass(choice, picture_key: str, model, image):
    """A pass that answers what a network says, and where from: each is asked soon after the other."""
    from vizcore.methods.cam import hold

    with _passes_lock:
        found = _passes.setdefault(model, OrderedDict()).get(picture_key)
    if found is None:
        found = hold(model, inputs(choice, picture_key, model, image))
        with _passes_lock:
            own = _passes[model]
            own[picture_key] = found
            if len(own) > PASSES:
                own.popitem(last=False)
    return found
