#!/usr/bin/env python3
"""Nuggy in GIMP 3: Filters > Nuggy > Remove Background... and Cut Out to New Layer...

This file registers the two procedures and runs them; layers.py reads and writes GIMP's layers, dialog.py is the
window, arguments.py the settings, words.py what is said. The work is done by a worker in another Python, for GIMP's own
has no torch; nuggy_bridge, which `nuggy gimp install` puts beside this file, is the way to it. The standard library and
gi only.
"""

import os
import sys
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
import arguments  # noqa: E402
import layers  # noqa: E402
import words  # noqa: E402
from gi.repository import Gegl, Gimp, Gio, GLib  # noqa: E402
from words import _  # noqa: E402

try:
    from nuggy_bridge import client, protocol
    from nuggy_bridge.launch import SETTINGS, Launch, WorkerError
except ImportError:  # the folder was copied by hand: register all the same, and say what is missing when asked to work
    client = None

HERE = os.path.dirname(os.path.realpath(__file__))
MASK, CUT_OUT = "plug-in-nuggy-remove-background", "plug-in-nuggy-cut-out"


def launch():
    """How to start the worker, as the installer has written it down. Raises layers.Problem."""
    if client is None:
        raise layers.Problem(words.incomplete(HERE))
    try:
        from pathlib import Path

        return Launch.read(Path(HERE, SETTINGS))
    except WorkerError as e:
        raise layers.Problem(words.failure(e, HERE)) from None


def ask(how, want, source, config):
    """Send the worker a layer, as layers.read gives it, and the settings: a Call."""
    fields, blobs = source
    return client.ask(how, protocol.Job(want=want, **fields, **arguments.of(config)), blobs)


def compute(how, want, source, config, progress):
    """The worker's answer. progress(stage, share) is called on this thread, the only one that may call GIMP."""
    call = ask(how, want, source, config)
    try:
        for event in call.follow():
            if event:
                progress(*event)
        return bytes(call.result().blobs[want])
    except WorkerError as e:
        raise layers.Problem(words.failure(e, HERE)) from None


def work(name, image, chosen, config):
    """Everything after the dialog. The image is touched only when all layers have been computed: until then Cancel,
    which has GIMP kill this process, leaves it as it was, and the worker stops when it notices that nobody is there."""
    want = "layer" if name == CUT_OUT else "mask"
    how = launch()
    done = []
    for i, layer in enumerate(chosen):

        def progress(stage, share, i=i):
            Gimp.progress_set_text(words.stage(stage, i, len(chosen)))
            Gimp.progress_update((i + share) / len(chosen))

        source = layers.read(image, layer, want, config.get_property("existing-mask"))
        done.append((layer, compute(how, want, source, config, progress)))
    if name == CUT_OUT:
        layers.add_layers(image, done, config.get_property("hide-original"))
    else:
        layers.put_masks(image, done)


def run(procedure, run_mode, image, drawables, config, data):
    Gegl.init(None)
    name = procedure.get_name()
    status = Gimp.PDBStatusType
    try:
        chosen = layers.chosen(image, drawables, writes=name == MASK)
    except layers.Problem as e:
        return answer(procedure, status.CALLING_ERROR, str(e))
    if run_mode == Gimp.RunMode.INTERACTIVE:
        import dialog

        if not dialog.run(procedure, config, image, chosen[0], ask, launch):
            return answer(procedure, status.CANCEL)
    Gimp.progress_init(_("Nuggy"))
    try:
        work(name, image, chosen, config)
    except layers.Problem as e:
        return answer(procedure, status.EXECUTION_ERROR, str(e))
    except MemoryError:
        return answer(procedure, status.EXECUTION_ERROR, words.KINDS["memory"]())
    except Exception as e:  # left to itself GIMP says no more than "execution error"
        traceback.print_exc()
        return answer(procedure, status.EXECUTION_ERROR, f"{type(e).__name__}: {e}")
    finally:
        Gimp.progress_end()
    Gimp.displays_flush()
    return answer(procedure, status.SUCCESS)


def answer(procedure, status, text=None):
    error = GLib.Error() if text is None else GLib.Error.new_literal(Gimp.PlugIn.error_quark(), text, 0)
    return procedure.new_return_values(status, error)


class Nuggy(Gimp.PlugIn):
    """GIMP finds the translations by itself: locale/LANGUAGE/LC_MESSAGES/nuggy.mo beside this file."""

    def do_query_procedures(self):
        self.set_help_domain("nuggy", Gio.File.new_for_path(os.path.join(HERE, "help")))
        return [MASK, CUT_OUT]

    def do_create_procedure(self, name):
        p = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        p.set_image_types("RGB*, GRAY*")
        p.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE | Gimp.ProcedureSensitivityMask.DRAWABLES)
        if name == MASK:
            p.set_documentation(
                _("Hide the background with a layer mask; keeps hair, fur, strings and webs"),
                _("Finds the subject of each selected layer and adds a layer mask that hides the rest. The mask can be "
                  "painted on; the layer's pixels stay as they are."), name)  # fmt: skip
            p.set_menu_label(_("_Remove Background..."))
        else:
            p.set_documentation(
                _("Copy the subject to a new layer; keeps hair, fur, strings and webs"),
                _("Finds the subject of each selected layer and puts it on a new layer above, transparent around it. "
                  "The layer itself stays as it is."), name)  # fmt: skip
            p.set_menu_label(_("_Cut Out to New Layer..."))
        p.set_icon_name("gimp-layer-mask" if name == MASK else "gimp-layer-new")
        p.set_attribution("Nuggy", "Nuggy, Apache-2.0", "2026")
        p.add_menu_path("<Image>/Filters/Nuggy")
        arguments.add(p, new_layer=name == CUT_OUT)
        return p


Gimp.main(Nuggy.__gtype__, sys.argv)
