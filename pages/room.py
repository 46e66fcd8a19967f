"""Room: where a class guesses, each on a phone, while the lesson is presented."""

import streamlit as st

from ui.room import seat

st.title("Room", anchor=False)
seat.show()
