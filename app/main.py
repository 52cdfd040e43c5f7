"""The page frame: configuration and navigation; routes only."""

from pathlib import Path

import streamlit as st

from app.widgets.frame import page_style, start_page

VIEWS = Path(__file__).parent / "views"
ICON = Path(__file__).parent / "icon.svg"  # a file of ours: named icons are fetched from another host

st.set_page_config(page_title="VAE Explorer", page_icon=ICON, layout="wide")
start_page()
page_style()
page = st.navigation(
    [
        st.Page(VIEWS / "explore.py", title="Explore", icon=":material/explore:", default=True),
        st.Page(VIEWS / "reconstruct.py", title="Reconstruct", icon=":material/compare:"),
        st.Page(VIEWS / "interpolate.py", title="Interpolate", icon=":material/timeline:"),
        st.Page(VIEWS / "models.py", title="Models", icon=":material/grid_view:"),
    ],
    position="top",
)
page.run()
