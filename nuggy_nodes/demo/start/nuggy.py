"""What `streamlit run` starts: the page behind its door."""

from pathlib import Path

from streamlit.starlette import App

from nuggy_nodes.demo.serving import lifespan, middleware

app = App(Path(__file__).with_name("page.py"), lifespan=lifespan, middleware=middleware())
