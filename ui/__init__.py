"""What the pages share: the choice of picture and models (``choices``), and how to show things (``figures``).

Only this folder, the pages and ``streamlit_app.py`` know Streamlit.
"""
