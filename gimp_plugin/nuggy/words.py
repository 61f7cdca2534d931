"""What the plug-in says: translations, the words of the progress bar, and failures with what to do about them."""

import os

from gi.repository import GLib

DOMAIN = "nuggy"


def _(text):
    return GLib.dgettext(DOMAIN, text)


STAGES = {
    "start": lambda: _("Starting Nuggy's worker..."),
    "waiting": lambda: _("Waiting for another picture to be done..."),
    "load": lambda: _("Loading the network..."),
    "read": lambda: _("Reading the layer..."),
    "network": lambda: _("Finding the subject..."),
    "refine": lambda: _("Following hair and edges..."),
    "colours": lambda: _("Finding the edges' own colours..."),
    "done": lambda: _("Making the mask..."),
    "write": lambda: _("Making the mask..."),
}

KINDS = {
    "start": lambda: _("Nuggy's worker could not be started."),
    "stopped": lambda: _("Nuggy's worker is stopped. The image is unchanged."),
    "silent": lambda: _("Nuggy's worker does not answer. The image is unchanged."),
    "lost": lambda: _("Nuggy's worker ended in the middle of the work. The image is unchanged."),
    "memory": lambda: _("There is not enough memory for this layer. The image is unchanged."),
    "weights": lambda: _("The network's weights cannot be used."),
    "protocol": lambda: _("The plug-in and the worker do not understand each other."),
    "place": lambda: _("The place where the plug-in and the worker meet cannot be used."),
    "input": lambda: _("The worker refused the layer or a setting."),
    "internal": lambda: _("Something went wrong in Nuggy's worker. The image is unchanged."),
}


def stage(name, index=0, count=1):
    """The progress bar's words for a stage; with several layers, which one it is."""
    text = STAGES[name]() if name in STAGES else _("Working...")
    return text if count == 1 else _("Layer {0} of {1}: {2}").format(index + 1, count, text)


def stage_with_share(name, share):
    """The same with how far the work is."""
    return f"{stage(name)} {round(100 * share)} %" if share else stage(name)


def nothing(name):
    return _("Nothing was found in “{0}”; it stays as it is. Try another recipe, or say what the subject is.").format(
        name
    )


def failure(error, here):
    """A WorkerError as a message: what failed, the worker's own words, and what to do."""
    if error.kind in ("stopped", "silent"):
        what = _("Let process {0} go on, or end it, and try again; “nuggy gimp uninstall” ends it too.")
        return "\n\n".join((KINDS[error.kind](), what.format(error)))
    parts = [KINDS.get(error.kind, KINDS["internal"])(), str(error)]
    if error.kind in ("start", "protocol", "weights"):
        parts.append(how_to_set(here))
    return "\n\n".join(p for p in parts if p)


def incomplete(here):
    return "\n\n".join((_("The plug-in's folder is incomplete."), here, how_to_set(here)))


def how_to_set(here):
    return _(
        "“Repair...” in the filter's dialog makes it anew; “nuggy gimp install” names another Python. It is written "
        "down in {0}."
    ).format(os.path.join(here, "worker.json"))


# which Python, and making one

STEPS = {
    "look": lambda: _("Looking for a Python to make it of..."),
    "environment": lambda: _("Making the environment..."),
    "torch": lambda: _("Downloading PyTorch..."),
    "nuggy": lambda: _("Downloading Nuggy..."),
    "check": lambda: _("Trying it..."),
}


def none_found(sandbox, tried):
    """No Python serves the plug-in. tried: (Python, what it lacks or "store")."""
    parts = [_("No Python with Nuggy was found on this machine. “Set up...” in the filter's dialog makes one, without "
               "a terminal; “nuggy gimp install” names one.")]  # fmt: skip
    if sandbox == "flatpak":
        parts.append(_("This GIMP runs in a Flatpak, which does not see the system's Python, nor an environment in "
                       "your home folder that links to it."))  # fmt: skip
    elif sandbox == "snap":
        parts.append(_("This GIMP runs in a Snap, which cannot start a Python outside of it."))
    parts += [_store(python) if wrong == "store" else f"{python}: {wrong}" for python, wrong in tried]
    return "\n\n".join(parts)


def gone(python):
    return _("{0}, which served this plug-in, is gone. “Repair...” in the filter's dialog makes another; “nuggy gimp "
             "install” names one.").format(python)  # fmt: skip


def make_one(folder, gigabytes):
    return _("Make one in {0}: downloads about {1} GB, takes some minutes").format(folder, gigabytes)


def not_made(error):
    """A MakeError as a message."""
    if error.kind == "python":
        return _("Neither uv nor a Python (3.10 or newer, with venv and pip) is on this machine. Install Python from "
                 "python.org, or uv, and try again.")  # fmt: skip
    if error.kind == "space":
        return _("There is too little room, 3 GB are needed: {0}").format(error)
    if error.kind == "store":
        return _store(error)
    if error.kind == "folder":
        return _("The folder cannot be used: {0}").format(error)
    return _("It did not work; the log says why: {0}").format(error)


def _store(python):
    return _("{0} is the Microsoft Store's Python: Windows keeps what it writes to AppData apart, so GIMP cannot use "
             "it. Take python.org's or uv's.").format(python)  # fmt: skip
