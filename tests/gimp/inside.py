"""Runs inside GIMP's Python: takes pieces of code from a folder, runs them, puts what they leave in `result` there."""

import json
import os
import time
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio  # noqa: E402

MASK, CUT_OUT = "plug-in-nuggy-remove-background", "plug-in-nuggy-cut-out"
REFINE = "plug-in-nuggy-refine-mask"


def serve(box):
    Gegl.init(None)
    number = 1
    while os.path.isdir(box) and not os.path.exists(os.path.join(box, "end")):
        path = os.path.join(box, f"{number}.in")
        if not os.path.exists(path):
            time.sleep(0.01)
            continue
        with open(path) as f:
            task = json.load(f)
        names = {**globals(), **task["values"], "result": None}
        try:
            exec(task["code"], names)
            answer = {"result": names["result"]}
        except Exception:
            answer = {"error": traceback.format_exc()}
        with open(path + ".part", "w") as f:
            json.dump(answer, f, default=str)
        os.rename(path + ".part", os.path.join(box, f"{number}.out"))
        number += 1
    for image in Gimp.get_images():
        image.delete()  # (one that is shown stays)


def load(path):
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))


def save(image, path):
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(path), None)


def call(image, drawables=None, procedure=MASK, mode="NONINTERACTIVE", **settings):
    """[status, message, seconds]; settings with _ for -."""
    proc = Gimp.get_pdb().lookup_procedure(procedure)
    config = proc.create_config()
    config.set_property("run-mode", getattr(Gimp.RunMode, mode))
    config.set_property("image", image)
    config.set_core_object_array("drawables", image.get_selected_drawables() if drawables is None else drawables)
    for name, value in settings.items():
        name = name.replace("_", "-")
        config.set_property(name, value)
        got = config.get_property(name)
        assert got == value or abs(got - value) < 1e-9, (name, value, got)
    begun = time.monotonic()
    status = proc.run(config).index(0)
    return [status.value_nick, Gimp.get_pdb().get_last_error(), time.monotonic() - begun]


def rect(item):
    return Gegl.Rectangle.new(0, 0, item.get_width(), item.get_height())


def samples(drawable, form, path=None):
    """A drawable's samples; into a file if a path is given."""
    data = drawable.get_buffer().get(rect(drawable), 1.0, form, Gegl.AbyssPolicy.NONE)
    if path is None:
        return data
    with open(path, "wb") as f:
        f.write(data)


def mask_of(layer, path, form="Y u8"):
    samples(layer.get_mask(), form, path)


def state(image):
    """Everything that a failure must leave as it was, in a few words."""
    import hashlib

    digest = hashlib.sha256()
    rows = []

    def visit(items):
        for item in items:
            mask = item.get_mask()
            rows.append([item.get_name(), item.get_visible(), mask is not None])
            for d in (item, mask):
                if d is not None:
                    digest.update(samples(d, "R'G'B'A float"))
            if item.is_group():
                visit(item.get_children())

    visit(image.get_layers())
    digest.update(samples(image.get_selection(), "Y u8"))
    return [rows, digest.hexdigest(), [i.get_name() for i in image.get_selected_layers()]]
