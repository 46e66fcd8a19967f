"""Studies: what ``sightlines study`` found in whole folders, row by row, with the way to each live view."""

import streamlit as st

from ui import address, cant_show
from ui.choices import chosen
from ui.header import header
from ui.studies import study_table, which_study

chosen()

header("Studies")
st.markdown(
    "From a look to a study: the table of any networks on a whole folder of pictures, as `sightlines study` "
    "left it. Each row leads to the live view of its picture, network and method."
)
found = which_study.pick()
if found is None:
    address.stop()
study_table.show(*found)
cant_show.say(
    "A table",
    "can't show why: it says how often and how far, on these pictures. A method that beats a control in the "
    "mean may fail on the picture at hand, and others' pictures may give other figures.",
)
cant_show.sign()
