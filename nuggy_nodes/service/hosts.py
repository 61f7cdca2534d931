"""Who can reach what listens, and by which names it may be called."""

from __future__ import annotations

import ipaddress

LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def names_of(host: str) -> tuple[str, ...]:
    """The names in a request's Host header that are answered: this machine's own where only it is listened to, since
    another name there is a foreign page's whose address was bent to this machine (DNS rebinding)."""
    return LOOPBACK if is_loopback(host) else ("*",)
