#!/usr/bin/env python3
"""Nuggy in GIMP 3: Filters > Nuggy > Remove Background..., Cut Out to New Layer... and Refine Mask...

This file registers the procedures and runs them; source.py reads GIMP's layers and layers.py writes them, dialog.py is
the window, preview.py its picture (view.py zooms, canvas.py draws, strokes.py paints, tools.py are the buttons),
arguments.py the settings, words.py what is said. The work is done by a worker in another Python, for GIMP's own
has no torch; which.py knows which one, set_up.py makes one, and nuggy_bridge is the way to it. The standard library
and gi only.
"""

import os
import sys
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
import arguments  # noqa: E402
import layers  # noqa: E402
import source  # noqa: E402
import which  # noqa: E402
import words  # noqa: E402
from gi.repository import Gegl, Gimp, Gio, GLib  # noqa: E402
from words import _  # noqa: E402

try:
    from nuggy_bridge import client
    from nuggy_bridge.job import Job
    from nuggy_bridge.launch import WorkerError
except ImportError:  # which.launch says it when asked to work
    client = None

HERE = os.path.dirname(os.path.realpath(__file__))
MASK, CUT_OUT, REFINE = "plug-in-nuggy-remove-background", "plug-in-nuggy-cut-out", "plug-in-nuggy-refine-mask"
KINDS = {MASK: "mask", CUT_OUT: "layer", REFINE: "refine"}
WANT = {MASK: "mask", CUT_OUT: "layer", REFINE: "mask"}


def ask(how, fields, blobs):
    """Ask the worker for what a source.Source has made: a client.Question."""
    return client.ask(how, Job(**fields), blobs)


def compute(how, fields, blobs, progress):
    """The worker's answer. progress(stage, share) is called on this thread, the only one that may call GIMP."""
    question = ask(how, fields, blobs)
    try:
        for event in question.follow():
            if event:
                progress(*event)
        return question.result()
    except WorkerError as e:
        raise layers.Problem(words.failure(e, which.HERE)) from None


def work(name, image, chosen, config, marks):
    """Everything after the dialog. The image is touched only when all layers have been computed: until then Cancel,
    which has GIMP kill this process, leaves it as it was, and the worker stops when it notices that nobody is there.

    marks: strokes that were drawn on the first layer. Layers in which nothing is found stay as they are: their names
    are given back."""
    want = WANT[name]
    how = which.launch()
    done, empty = [], []
    for i, layer in enumerate(chosen):

        def progress(stage, share, i=i):
            Gimp.progress_set_text(words.stage(stage, i, len(chosen)))
            Gimp.progress_update((i + share) / len(chosen))

        seen = source.Source(image, layer, want)
        try:
            fields, blobs = seen.job(arguments.of(config), None if i else marks)
        finally:
            seen.close()
        answer = compute(how, fields | {"want": want}, blobs, progress)
        if answer.fields.get("found", True):
            done.append((layer, bytes(answer.blobs[want])))
        else:
            empty.append(layer.get_name())
    if done and name == CUT_OUT:
        layers.add_layers(image, done, config.get_property("hide-original"))
    elif done:
        layers.put_masks(image, done)
    if empty and not done:
        raise layers.Problem("\n".join(map(words.nothing, empty)))
    return empty


def run(procedure, run_mode, image, drawables, config, data):
    Gegl.init(None)
    name = procedure.get_name()
    status = Gimp.PDBStatusType
    wrong = arguments.wrong(config)
    if wrong:
        return answer(procedure, status.CALLING_ERROR, wrong)
    try:
        chosen = layers.chosen(image, drawables, writes=name != CUT_OUT)
        if name == REFINE:
            layers.check_masks(chosen)
    except layers.Problem as e:
        return answer(procedure, status.CALLING_ERROR, str(e))
    marks = None
    if run_mode == Gimp.RunMode.INTERACTIVE:
        import dialog

        try:
            accepted, marks = dialog.run(procedure, config, image, chosen[0], WANT[name], ask)
        except layers.Problem as e:
            return answer(procedure, status.CALLING_ERROR, str(e))
        if not accepted:
            return answer(procedure, status.CANCEL)
    Gimp.progress_init(_("Nuggy"))
    try:
        empty = work(name, image, chosen, config, marks)
        if empty:
            Gimp.message("\n".join(map(words.nothing, empty)))
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
        return [MASK, CUT_OUT, REFINE]

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
        elif name == REFINE:
            p.set_documentation(
                _("Give the layer's mask the picture's own edges; finds hair, fur, strings and webs"),
                _("The mask, painted by hand, made of a selection or by another plug-in, says what the subject is. "
                  "Where exactly it ends is found in the picture."), name)  # fmt: skip
            p.set_menu_label(_("Refine _Mask..."))
        else:
            p.set_documentation(
                _("Copy the subject to a new layer; keeps hair, fur, strings and webs"),
                _("Finds the subject of each selected layer and puts it on a new layer above, transparent around it. "
                  "The layer itself stays as it is."), name)  # fmt: skip
            p.set_menu_label(_("_Cut Out to New Layer..."))
        p.set_icon_name("gimp-layer-mask" if name == MASK else "gimp-layer-new")
        p.set_attribution("Nuggy", "Nuggy, Apache-2.0", "2026")
        p.add_menu_path("<Image>/Filters/Nuggy")
        arguments.add(p, KINDS[name])
        return p


Gimp.main(Nuggy.__gtype__, sys.argv)
