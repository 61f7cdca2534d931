"""GIMP's layers: what may be worked on, and writing masks and layers in one undo step."""

import shown
from gi.repository import Gegl, Gimp
from words import _

BYTES = {"u8": 1, "u16": 2, "float": 4}  # of a sample


class Problem(Exception):
    """Told to the user as it is."""


def chosen(image, drawables, writes=True):
    """The layers that are meant. Raises Problem for whatever cannot be worked on, before anything is done.

    A layer whose mask is being edited (as after every run) is handed over as the mask: that stands for its layer.
    writes: the layers' own masks will be written.
    """
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise Problem(_("An indexed image cannot have soft edges. Convert it with Image > Mode > RGB first."))
    found = []
    for d in drawables:
        layer = Gimp.Layer.from_mask(d) if isinstance(d, Gimp.LayerMask) else d
        if not isinstance(layer, Gimp.Layer):
            raise Problem(_("“{0}” is a channel. Select a layer.").format(d.get_name()))
        if layer.is_floating_sel():
            raise Problem(_("Anchor the floating selection first, or make it a layer."))
        if writes and is_locked(layer):
            raise Problem(_("The pixels of the layer “{0}” are locked. Unlock them first.").format(layer.get_name()))
        if layer not in found:
            found.append(layer)
    if not found:
        raise Problem(_("Select one or more layers."))
    return sorted(found, key=lambda layer: shown.place(layer, image))  # as the list of layers has them


def check_masks(chosen):
    """Raises Problem where a layer has no mask to refine."""
    for layer in chosen:
        if layer.get_mask() is None:
            raise Problem(_("The layer “{0}” has no mask to refine.").format(layer.get_name()))


def is_locked(item):
    """Whether the item's pixels, or those of a group it is in, are locked. (GIMP ends a plug-in that writes there.)"""
    while item is not None:
        if item.get_lock_content():
            return True
        item = item.get_parent()
    return False


def depths(image):
    """(samples in which pixels are read, samples of the mask): no coarser than the image's own."""
    nick = image.get_precision().value_nick
    mask = {"u8": "u8", "u16": "u16"}.get(nick.split("-")[0], "float")
    linear = nick.endswith("-linear") and not nick.endswith("non-linear")
    return ("float" if linear else mask), mask  # linear samples, sRGB-encoded in as few bits, would lose dark tones


def put_masks(image, done):
    """Give layers their masks, [(layer, bytes)], in one undo step. The masks are filled before the step begins, so that
    it holds nothing but exchanges."""
    _depth, mask_depth = depths(image)
    ready = []
    for layer, data in done:
        mask = layer.create_mask(Gimp.AddMaskType.WHITE)
        buffer = mask.get_buffer()
        rect = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
        buffer.set(rect, f"Y {mask_depth}", data)
        buffer.flush()
        ready.append((layer, mask, rect))
    image.undo_group_start()
    try:
        for layer, mask, rect in ready:
            state = None
            if layer.get_mask() is not None:
                state = layer.get_edit_mask(), layer.get_show_mask(), layer.get_apply_mask()
                layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
            if not layer.add_mask(mask):
                raise Problem(
                    _("GIMP did not take the mask of “{0}”. Undo brings the old state.").format(layer.get_name())
                )
            if state:
                layer.set_edit_mask(state[0])
                layer.set_show_mask(state[1])
                layer.set_apply_mask(state[2])
            mask.update(0, 0, rect.width, rect.height)
    finally:
        image.undo_group_end()


def add_layers(image, done, hide):
    """Put cut-outs, [(layer, R'G'B'A float bytes)], on new layers above theirs, in one undo step."""
    ready = []
    for layer, data in done:
        kind = Gimp.ImageType.GRAYA_IMAGE if layer.is_gray() else Gimp.ImageType.RGBA_IMAGE
        width, height = layer.get_width(), layer.get_height()
        name = _("{0} cut-out").format(layer.get_name())
        mode = Gimp.LayerMode.NORMAL if shown.blends(layer) else layer.get_mode()  # only a group passes through
        new = Gimp.Layer.new(image, name, width, height, kind, layer.get_opacity(), mode)
        buffer = new.get_buffer()
        buffer.set(Gegl.Rectangle.new(0, 0, width, height), "R'G'B'A float", data)
        buffer.flush()
        ready.append((layer, new))
    image.undo_group_start()
    try:
        for layer, new in ready:
            image.insert_layer(new, layer.get_parent(), image.get_item_position(layer))
            _ok, x, y = layer.get_offsets()
            new.set_offsets(x, y)
            new.update(0, 0, new.get_width(), new.get_height())
            if hide and not layer.get_lock_visibility():
                layer.set_visible(False)
        image.set_selected_layers([new for _layer, new in ready])
    finally:
        image.undo_group_end()
