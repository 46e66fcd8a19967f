"""Your own model: the same in Python, and what is on the list for everybody."""

from __future__ import annotations

import streamlit as st

MODULE = """from PIL import Image
from torchvision import transforms as T
from vizcore.drawing import render
from vizcore.methods.table import METHODS, in_frame
from vizcore.models import from_module
from vizcore.pictures.frame import seen

transform = T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize(mean, std)])
model = from_module(net, transform, ["cat", "dog"])  # net: yours
print(model.layers)  # what can be looked at

image = Image.open("photo.jpg").convert("RGB")
heat = METHODS["Grad-CAM"].make(model, model.preprocess(image), "cat", layer=model.layers[-1])
framed = in_frame(model, image, heat)  # in the photograph's own pixels
visible = seen(model.preprocess.box(image.size), image.size)
figure = render.lay(image, framed, visible, 0.7)"""


def in_python() -> None:
    """Code to copy."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("A network of yours", anchor=False)
        st.markdown(
            "A module that takes pictures (B, 3, H, W) and returns scores (B, classes), its preprocessing "
            "and the names of its classes are enough:"
        )
        st.code(MODULE, wrap_lines=True)
        st.caption(
            "The module is copied, so yours keeps its mode and its gradients. Maps return to the picture "
            "through the transform's own resizing and cropping."
        )
    with right:
        st.subheader("A safetensors file, from what you have", anchor=False)
        st.code(
            'from safetensors.torch import save_file\n\nsave_file(net.state_dict(), "mine.safetensors")',
            wrap_lines=True,
        )
        st.subheader("Another architecture", anchor=False)
        st.markdown(
            "Type the name of one of timm's architectures into **Model A** or **Model B** in the sidebar, "
            "such as `convnext_tiny` or `vit_base_patch16_siglip_224`, and press Enter. Its weights are "
            "downloaded on first use; where that can't be, choose random weights under *Weights*. An "
            "architecture whose layers don't lie as the picture does is refused in a sentence."
        )
        st.subheader("On the list for everybody", anchor=False)
        st.markdown("A line in the catalogue, `vizcore/networks/catalog.py`:")
        st.code('"resnet101": Entry("ResNet-101"),', wrap_lines=True)
