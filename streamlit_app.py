"""Sightlines: the list of pages, and what they share. Run with ``streamlit run streamlit_app.py``."""

from pathlib import Path

import streamlit as st

from ui import arrival, hearing, leaving
from ui.arrival import static_files
from ui.limits import few_heaps
from ui.no_delay import no_delay
from ui.streamlit_private import bound_uploads, no_use_warning, session_id, tell_in_bursts
from ui.turns import pace
from ui.warmup import leaves_garbage, warm_up


def main() -> None:
    """What a visitor's session runs at every click."""
    from ui import address, cards, door, going_on, guide, viewer  # half a second: after the page's own code
    from ui.choices import MAPLESS, sidebar

    pace(session_id())
    leaves_garbage()
    st.set_page_config(  # before the pages, or a browser fetches the icon of each from elsewhere
        page_title="Sightlines", page_icon=Path(__file__).parent / "ui" / "icon.png", layout="wide"
    )
    pages = [
        st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
        st.Page("pages/lessons.py", title="Lessons", icon=":material/school:"),
        st.Page("pages/room.py", title="Room", icon=":material/groups:"),
        st.Page("pages/experiments.py", title="Experiments", icon=":material/science:"),
        st.Page("pages/feature_maps.py", title="Feature maps", icon=":material/grid_view:"),
        st.Page("pages/attention_rollout.py", title="Attention rollout", icon=":material/account_tree:"),
        st.Page("pages/grad_cam.py", title="Grad-CAM", icon=":material/my_location:"),
        st.Page("pages/saliency.py", title="Saliency", icon=":material/gradient:"),
        st.Page(
            "pages/activation_maximization.py",
            title="Activation maximisation",
            icon=":material/auto_awesome:",
        ),
        st.Page("pages/look_inside.py", title="Look inside", icon=":material/troubleshoot:"),
        st.Page("pages/unit.py", title="A unit’s card", icon=":material/badge:"),
        st.Page("pages/claims.py", title="Two claims", icon=":material/fact_check:"),
        st.Page("pages/similarity.py", title="Similarity", icon=":material/join_inner:"),
        st.Page("pages/studies.py", title="Studies", icon=":material/table_view:"),
        st.Page("pages/your_model.py", title="Your own model", icon=":material/upload:"),
    ]
    # Streamlit's own list of pages drops the address at a click, and Back then leads to a page without one.
    page = st.navigation(pages, position="hidden")
    if door.closed():
        return
    st.set_page_config(page_title=f"{page.title} · Sightlines")
    with address.in_step(page.url_path, guide.opened, pages):
        cards.go()
        viewer.load(page.url_path)
        address.complaints()
        going_on.go_on()
        if page.url_path not in MAPLESS:
            sidebar()
        guide.guide()
        page.run()


def rehearse() -> None:
    """What the first visitor's run would begin with, done while his browser fetches the page's code."""
    from ui import rehearsal

    rehearsal.rehearse()


def load() -> None:
    """The networks of which home showed what is stored, and what other pages begin with."""
    from ui import study_pictures
    from ui.shared_networks import load_first

    load_first()
    study_pictures.ready()


no_use_warning()
if __name__ == "__main__":
    main()
else:  # `streamlit run` found an app and imports it, once, as the server starts
    few_heaps()
    no_delay()
    looked_through = leaving, hearing, static_files, arrival
    app = st.App(__file__, middleware=[one.MIDDLEWARE for one in looked_through])
    leaving.leave_politely()
    warm_up(rehearse, load)
warm_up()
bound_uploads()
tell_in_bursts()
