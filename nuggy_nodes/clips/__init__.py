"""Clips in and out: frames one at a time, their times, sound, depth and colours kept.

decode.py reads, movie.py and moving.py write (containers; animated pictures and sequences), sound.py carries the sound
over, colour.py says what a clip's colours mean, scenes.py and steadily.py cut frame after frame without flicker.
PyAV, which brings FFmpeg, is the extra `video`.
"""
