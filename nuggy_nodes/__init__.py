"""Nuggy: cut-outs that keep hair, fur, strings and webs.

`nuggy_nodes.core` holds the mathematics and is what a script imports; nodes, bridge and command line stand on it.
Nothing is imported here, so that asking for the version costs nothing.
"""

__version__ = "0.2.0"
