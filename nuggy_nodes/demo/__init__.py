"""The page of `nuggy demo`, on Streamlit: thin over core, pictures and service."""
