"""The worker that GIMP talks to: a process of its own, for GIMP's Python has no torch.

protocol.py is what the two say, place.py where they meet, launch.py how the worker is started, client.py the side that
asks, server.py the side that answers, work.py what it does, memory.py what it keeps between two runs. The first four
use the standard library only: `nuggy gimp install` (install.py) copies them beside the plug-in, as the package
`nuggy_bridge`, so that there is one text of each.
"""
