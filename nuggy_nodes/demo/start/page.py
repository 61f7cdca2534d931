"""What Streamlit runs anew at every change; the page itself is a package, imported once."""

from nuggy_nodes.demo.page import main

main()
