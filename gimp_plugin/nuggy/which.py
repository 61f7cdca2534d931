"""Which Python serves this plug-in: the one that is written down, else the first that is found and works.

Asked when a filter is called, never when GIMP starts. What was found is written down, so it is looked for once.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import layers
import words

try:
    from nuggy_bridge import confined, find
    from nuggy_bridge.launch import SETTINGS, Launch, WorkerError
except ImportError:  # the repository's folder was copied, not the plug-in's zip: register all the same, and say so
    confined = None

HERE = os.path.dirname(os.path.realpath(__file__))


class Unset(layers.Problem):
    """No Python serves it; set-up can change that. gone: one that did, "" if there never was one."""

    def __init__(self, text, gone=""):
        super().__init__(text)
        self.gone = gone


_failed = None  # an Unset: the search is not repeated while a dialog is open


def launch():
    """How the worker is started. Raises Unset, or layers.Problem for a folder that is incomplete."""
    global _failed
    if confined is None:
        raise layers.Problem(words.incomplete(HERE))
    if _failed:
        raise _failed
    around = find.Surroundings.here()
    gone, broken = "", None
    for card in _cards(around):
        try:
            how = Launch.read(card)
        except WorkerError as e:
            broken = broken or (e if card.exists() else None)
            continue
        if os.path.isfile(how.python):
            return how
        gone = gone or how.python
    try:
        return _found(around)
    except Unset as e:
        _failed = e
        if gone:
            _failed = Unset(words.gone(gone), gone)
        elif broken:
            _failed = Unset(words.failure(broken, HERE), str(broken))
        raise _failed from None


def keep(how):
    """Write it down: beside the plug-in, or where that is the system's, in the user's data folder."""
    global _failed
    _failed = None
    around = find.Surroundings.here()
    how = replace(how, runtime=find.meeting(around, confined.sandbox()))
    for card in _cards(around):
        try:
            card.parent.mkdir(parents=True, exist_ok=True)
            how.write(card)
            return how
        except OSError:
            continue
    return how


def _cards(around):
    return Path(HERE, SETTINGS), around.data() / SETTINGS


def _found(around):
    """One that works, written down. Raises Unset, which says what was tried."""
    served = Launch(sys.executable, runtime=find.meeting(around, confined.sandbox()))
    if served.place().worker():  # `nuggy gimp serve` in a terminal
        return served
    tried = []
    for how in find.candidates(Path(HERE), around):
        wrong = find.trouble(how.python, how.folder)
        if not wrong:
            return keep(how)
        tried.append((how.python, "store" if confined.from_store(how.python) else wrong))
    raise Unset(words.none_found(confined.sandbox(), tried))
