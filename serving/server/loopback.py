"""Addresses that only this machine reaches."""

import ipaddress
import socket


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to what listens at an address.

    Args:
        host: Such as `127.0.0.1`, `[::1]` or `localhost`. A name is resolved; one that cannot be is
            not loopback.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
        (True, False)
    """
    try:
        found = socket.getaddrinfo(host.strip("[]") or None, None, flags=socket.AI_PASSIVE)
    except OSError:
        return False
    addresses = [str(address[0]).partition("%")[0] for *_, address in found]
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)
