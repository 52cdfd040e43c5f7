"""Arrays to Plotly charts; no Streamlit."""
