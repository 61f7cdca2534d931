"""The exceptions that a caller may want to catch. Each message says what was given, what is expected, what to do."""


class NuggyError(Exception):
    """Base of everything that Nuggy raises on purpose."""


class InputError(NuggyError, ValueError):
    """An argument of the wrong shape, type or range."""


class WeightsError(NuggyError):
    """A weights file that is missing, damaged, of another network, or not safe to read."""


class ImageError(NuggyError):
    """A picture file that cannot be read or written."""
