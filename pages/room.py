"""Room: where a class guesses, each on a phone, while the lesson is presented."""

import streamlit as st

from ui.choices import in_app
from ui.room import seat

in_app()
st.title("Room", anchor=False)
seat.show()
