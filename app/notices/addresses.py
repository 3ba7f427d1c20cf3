"""Where notices may be sent: a receiver's own server, never a machine inside our walls.

An address is checked when it is registered, and every IP address that its name stands for when it is called: a name may
point somewhere else by then.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from flask import current_app

LONGEST = 500
PORTS = frozenset((80, 443))
"""Ports below 1024 that may be called; the others belong to services that are no receivers."""
_NEVER = tuple(
    ip_network(block)
    for block in (
        "168.63.129.16/32",  # what cloud platforms tell their machines, beside 169.254.0.0/16
        "100.100.100.200/32",
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "fd00:ec2::/32",
        "64:ff9b::/32",  # an IPv4 address in other clothes
        "2002::/16",
        "2001::/32",
        "fec0::/10",
    )
)
_OURS = tuple(
    ip_network(block)
    for block in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""Loopback and private networks: called only where the setting says so."""
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa")


class BadAddress(ValueError):
    """An address that is not called; the text is a Chinese sentence that says why."""


def private_receivers() -> bool:
    """Whether this instance may call machines in its own network (a demo, a test, a receiver in the same hall)."""
    return bool(current_app.config["PRIVATE_RECEIVERS"])


def check_address(url: str) -> None:
    """Accept the address of a receiver. Raises BadAddress. Asks no name server: `may_call` follows at the call."""
    private = private_receivers()
    if not url or len(url) > LONGEST:
        raise BadAddress("请填写接收地址，不超过 500 个字符。")
    if not url.isascii() or not url.isprintable() or any(c in url for c in " \\\"'<>`{|}^"):
        raise BadAddress("接收地址里有空格或者不能用的字符；中文域名请写成 xn-- 开头的形式。")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadAddress("接收地址不完整，请按 https://主机名/路径 的样子填写。") from None
    if parts.scheme not in (("https", "http") if private else ("https",)):
        raise BadAddress("接收地址须以 https:// 开头。")
    if "@" in parts.netloc:
        raise BadAddress("接收地址里不能写用户名或者密码。")
    if "#" in url:
        raise BadAddress("接收地址里不能有 # 号。")
    if not host or parts.netloc.endswith(":"):
        raise BadAddress("接收地址不完整，请按 https://主机名/路径 的样子填写。")
    if port is not None and port not in PORTS and not 1024 <= port <= 65535:
        raise BadAddress("接收地址的端口须是 443、80 或者 1024 至 65535。")
    _check_host(host, bracketed="[" in parts.netloc, private=private)


def may_call(ip: str, *, private: bool | None = None) -> bool:
    """Whether this IP address, one that a receiver's name stands for, may be called.

    `private` is the setting of the instance unless given (outside an application context it must be).
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    if "%" in ip or _among(address, _NEVER):
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return False
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    if _among(address, _OURS):
        return private_receivers() if private is None else private
    return address.is_global and not address.is_reserved


def _check_host(host: str, *, bracketed: bool, private: bool) -> None:
    if bracketed:
        allowed = may_call(host, private=private)
    else:
        labels = host.removesuffix(".").split(".")
        if _NUMBER.fullmatch(labels[-1]):  # decimal, octal and hexadecimal spellings: only the usual one is read
            try:
                allowed = may_call(str(IPv4Address(host)), private=private)
            except ValueError:
                raise BadAddress("接收地址里的 IP 地址须写成四段十进制数。") from None
        else:
            if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
                raise BadAddress("接收地址的主机名写法不对。")
            allowed = private or (len(labels) > 1 and labels[-1] not in _INSIDE)
    if not allowed:
        raise BadAddress("接收地址在内部网络或者保留地址里，不能使用；请填写对外服务的主机名。")


def _among(address: IPv4Address | IPv6Address, blocks: tuple[object, ...]) -> bool:
    return any(address in block for block in blocks)  # type: ignore[operator]
