"""Nuggy for several people or programs at once: one network, a line to stand in, limits (`nuggy serve`, `nuggy demo`).

All mathematics is in `core`, all reading and writing of files in `pictures`; here is who comes when, and what is too
much.
"""
