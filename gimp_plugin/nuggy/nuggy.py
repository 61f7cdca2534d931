#!/usr/bin/env python3
"""Nuggy in GIMP 3: Filters > Nuggy > Remove Background..., Cut Out to New Layer... and Refine Mask...

This file registers the procedures and runs them. arguments.py has their settings, values.py what those may be;
source.py reads GIMP's layers, as shown.py has them seen, and layers.py writes them; dialog.py is the window, with
pickers.py and fine.py; preview.py its picture (computing.py asks the worker, view.py zooms, canvas.py draws, hand.py
holds the mouse, strokes.py paints, kept.py keeps that, tools.py are the buttons); words.py what is said. The work is
done by a worker in another Python, for GIMP's own has no torch; which.py knows which one, set_up.py makes one, and
nuggy_bridge is the way to it. The standard library and gi only.
"""

import os
import sys
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
import arguments  # noqa: E402
import kept  # noqa: E402
import layers  # noqa: E402
import source  # noqa: E402
import values  # noqa: E402
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


def work(name, image, chosen, config, drawn):
    """Everything after the dialog. The image is touched only when all layers have been computed: until then Cancel,
    which has GIMP kill this process, leaves it as it was, and the worker stops when it notices that nobody is there.

    drawn: strokes.Strokes by the layers' ids. Layers in which nothing is found stay as they are: their names are given
    back."""
    want = WANT[name]
    how = which.launch()
    done, empty = [], []
    for i, layer in enumerate(chosen):

        def progress(stage, share, i=i):
            Gimp.progress_set_text(words.stage(stage, i, len(chosen)))
            Gimp.progress_update((i + share) / len(chosen))

        seen, strokes = source.Source(image, layer, want), drawn.get(layer.get_id())
        try:
            fields, blobs = seen.job(arguments.of(config), strokes.planes() if strokes else None)
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
    if run_mode != Gimp.RunMode.NONINTERACTIVE:
        values.mend(config)
    elif values.wrong(config):
        return answer(procedure, status.CALLING_ERROR, values.wrong(config))
    try:
        chosen = layers.chosen(image, drawables, writes=name != CUT_OUT)
        if name == REFINE:
            layers.check_masks(chosen)
    except layers.Problem as e:
        return answer(procedure, status.CALLING_ERROR, str(e))
    drawn = {}
    if run_mode == Gimp.RunMode.WITH_LAST_VALS:
        drawn = {layer.get_id(): kept.strokes(layer) for layer in chosen}
    try:
        if run_mode == Gimp.RunMode.INTERACTIVE:
            import dialog

            accepted, drawn = dialog.run(procedure, config, image, chosen, WANT[name], ask)
            if not accepted:
                return answer(procedure, status.CANCEL)
            for layer in chosen:
                kept.keep(layer, drawn[layer.get_id()])
        Gimp.progress_init(_("Nuggy"))
        try:
            empty = work(name, image, chosen, config, drawn)
        finally:
            Gimp.progress_end()
        if empty:
            Gimp.message("\n".join(map(words.nothing, empty)))
    except layers.Problem as e:
        return answer(procedure, status.EXECUTION_ERROR, str(e))
    except MemoryError:
        return answer(procedure, status.EXECUTION_ERROR, words.KINDS["memory"]())
    except Exception as e:  # left to itself GIMP says no more than "execution error"
        traceback.print_exc()
        return answer(procedure, status.EXECUTION_ERROR, f"{type(e).__name__}: {e}")
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
