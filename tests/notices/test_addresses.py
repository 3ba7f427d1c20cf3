"""A notice goes to a receiver's own server: no spelling of an address leads to a machine inside our walls."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.notices.addresses import BadAddress, check_address, may_call

GOOD = (
    "https://credit.example.gov.cn/notices",
    "https://CREDIT.example.gov.cn:8443/in?from=jt",
    "https://credit.example.gov.cn./notices",
    "https://xn--fiq228c.example/",
    "https://1.1.1.1/",
    "https://[2606:4700::1111]:443/",
)
INSIDE = (
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.01/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00:ec2::254]/",
    "https://[fc00::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://a.localhost/",
    "https://metadata/",
    "https://metadata.google.internal/",
    "https://db.lan/",
)
WRONG = (
    "",
    "credit.example.gov.cn",
    "//credit.example.gov.cn/",
    "http://credit.example.gov.cn/",
    "ftp://credit.example.gov.cn/",
    "file:///etc/passwd",
    "gopher://credit.example.gov.cn/",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "https://user@credit.example.gov.cn/",
    "https://user:word@credit.example.gov.cn/",
    "https://credit.example.gov.cn@127.0.0.1/",
    "https://127.0.0.1\\@credit.example.gov.cn/",
    "https://credit.example.gov.cn#@127.0.0.1/",
    "https://credit.example.gov.cn/#part",
    "https://credit.example.gov.cn:22/",
    "https://credit.example.gov.cn:25/",
    "https://credit.example.gov.cn:0/",
    "https://credit.example.gov.cn:99999/",
    "https://credit.example.gov.cn:-1/",
    "https://credit.example.gov.cn:/",
    "https://credit.example.gov.cn:４４３/",
    "https://信用.example/",
    "https://１２７.0.0.1/",
    "https://credit。example/",
    "https://credit.example.gov.cn/a b",
    "https://credit.example.gov.cn/\r\nHost: x",
    "https://credit.example.gov.cn/\0",
    " https://credit.example.gov.cn/",
    "https://credit..example/",
    "https://-credit.example/",
    "https://credit%2eexample/",
    "https://[::1/",
    "https://[::1]evil.example/",
    "https://[v1.fe80]/",
    "https://1.2.3/",
    "https://1.2.3.4.5/",
    "https://256.1.1.1/",
    "https://credit.example.gov.cn/" + "x" * 500,
)


@pytest.fixture
def outside(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance as it is deployed: the setting for private receivers is off."""
    monkeypatch.setitem(app.config, "PRIVATE_RECEIVERS", False)


@pytest.fixture
def database() -> str:
    """No row is read: one database will do."""
    return "sqlite"


@pytest.mark.parametrize("url", GOOD)
def test_a_server_of_the_receivers_own_is_taken(outside: None, url: str) -> None:
    check_address(url)


@pytest.mark.parametrize("url", INSIDE + WRONG)
def test_nothing_that_leads_inside_or_is_no_address_is_taken(outside: None, url: str) -> None:
    with pytest.raises(BadAddress, match="。$"):
        check_address(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5099/notices", "https://10.0.0.9/", "http://receiver/in", "http://[::1]:9000/"]
)
def test_where_the_setting_says_so_a_machine_of_the_own_network_is_taken(app: Flask, url: str) -> None:
    check_address(url)


SECRETIVE = (
    "http://169.254.169.254/",
    "http://[fd00:ec2::254]/",
    "http://0.0.0.0/",
    "http://[fe80::1]/",
    "http://224.0.0.1/",
    "http://2130706433/",
    "http://[::ffff:10.0.0.1]/",
    "http://a@10.0.0.9/",
)


@pytest.mark.parametrize("url", SECRETIVE)
def test_but_never_what_tells_a_machine_its_secrets(app: Flask, url: str) -> None:
    with pytest.raises(BadAddress):
        check_address(url)


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1", "10.9.8.7", "fd12:3456::1"])
def test_a_name_that_points_inside_today_is_not_called_today(outside: None, ip: str) -> None:
    assert not may_call(ip)
    assert may_call(ip, private=True)


@pytest.mark.parametrize("ip", ["1.1.1.1", "2606:4700::1111"])
def test_a_public_address_is_called(outside: None, ip: str) -> None:
    assert may_call(ip)


@pytest.mark.parametrize(
    "ip", ["", "localhost", "fe80::1%eth0", "::1%lo", "1.2.3", "0x7f.1", "1.1.1.1%1", "::ffff:1.1.1.1"]
)
def test_what_is_no_plain_address_is_not_called(app: Flask, ip: str) -> None:
    assert not may_call(ip)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_taken_or_refused_with_a_sentence(text: str) -> None:
    plain = Flask("plain")
    plain.config["PRIVATE_RECEIVERS"] = False
    with plain.app_context():
        for url in (text, f"https://{text}", f"https://{text}/", f"https://credit.example:{text}/"):
            try:
                check_address(url)
            except BadAddress as why:
                assert str(why).endswith("。")
