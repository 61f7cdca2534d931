"""A layer as it is seen, where its own buffer does not hold that.

GIMP gives a drawable's pixels without the non-destructive filters over them. And a pass-through group gives its layers
as they are by themselves, where on the screen they are blended with what lies below: a curve or a shade in it is seen
there alone. In both cases a copy of the image is made to show just that.
"""

from gi.repository import Gimp


def blends(layer):
    """Whether it is a pass-through group."""
    return layer.get_mode() == Gimp.LayerMode.PASS_THROUGH


def shown(image, layer):
    """(a copy of the image, a layer of it that holds what is seen of `layer`, as large as that); None where its own
    buffer does. The copy is to be deleted.

    Of a pass-through group its opacity is not in it, which is the group's own: what lies below is seen through it.
    """
    if not blends(layer) and not any(f.get_visible() for f in layer.get_filters()):
        return None
    copy = image.duplicate()
    try:
        copy.undo_disable()
        path = place(layer, image)
        _ok, x, y = layer.get_offsets()
        copy.resize(layer.get_width(), layer.get_height(), -x, -y)
        if blends(layer):
            _hide_above(copy, path)
        else:
            _alone(copy, path)
        return copy, Gimp.Layer.new_from_visible(copy, copy, layer.get_name())
    except BaseException:
        copy.delete()
        raise


def _alone(copy, path):
    """Nothing is seen but the item at that path, as it is by itself."""
    items = copy.get_layers()
    item = _at(copy, path)[-1]
    for other in items:
        _show(other, False)
    if item not in items:
        item.set_lock_position(False)
        copy.reorder_item(item, None, 0)
    _bare(item)
    item.set_mode(Gimp.LayerMode.NORMAL)


def _hide_above(copy, path):
    """Nothing lies over the group at that path, and it and what it is in are wholly there."""
    items = copy.get_layers()
    for at, item in zip(path, _at(copy, path)):
        for other in items[:at]:
            _show(other, False)
        _bare(item)
        items = item.get_children()


def _bare(item):
    """Seen, whole, without its mask."""
    _show(item, True)
    item.set_opacity(100.0)
    if item.get_mask() is not None:
        item.set_apply_mask(False)
        item.set_show_mask(False)


def _show(item, visible):
    item.set_lock_visibility(False)
    item.set_visible(visible)


def _at(image, path):
    """The items along a path of positions, from the outermost on."""
    found, items = [], image.get_layers()
    for at in path:
        found.append(items[at])
        items = found[-1].get_children() if found[-1].is_group() else []
    return found


def place(item, image):
    """An item's place in its group, from the outermost group on."""
    path = []
    while item is not None:
        path.insert(0, image.get_item_position(item))
        item = item.get_parent()
    return path
