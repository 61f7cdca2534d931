"""OpenCV where it is installed, whichever of its packages it comes from. Nothing here needs it: it is faster on a CPU.

A node pack must not ask for one of opencv-python, opencv-contrib-python and their headless twins: they put their files
into one folder, and the one installed last breaks the others.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

log = logging.getLogger(__name__)
USED = ("boxFilter", "connectedComponents", "dilate", "resize")


@functools.cache
def opencv() -> Any:
    """The module cv2, or None where it is missing, cannot be loaded (a library of the system is missing), or is the
    empty folder that an uninstalled one left."""
    try:
        import cv2
    except ModuleNotFoundError:
        return None
    except Exception as e:  # ImportError of a system's library, AttributeError within a half-removed package
        log.info("works without OpenCV, which is installed but cannot be loaded: %s", e)
        return None
    return cv2 if all(hasattr(cv2, name) for name in USED) else None
