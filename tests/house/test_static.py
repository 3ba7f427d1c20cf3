"""What the browser gets: small, ours alone, and nothing the content policy would refuse."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "app" / "static"
STYLE = (STATIC / "jiannuo.css").read_text(encoding="utf-8")
SPRITE = (STATIC / "icons.svg").read_text(encoding="utf-8")
# Documents are printed, not browsed: they bring their own style sheet.
PAGES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "documents" not in path.parts)
# These classes of Bootstrap bring a data: picture, which the content policy refuses.
WITH_DATA_PICTURES = "form-select|form-check-input|form-switch|is-valid|is-invalid|navbar|accordion|btn-close|carousel"


def test_the_style_sheet_stays_small() -> None:
    assert len(STYLE.encode()) <= 16 * 1024
    assert len(SPRITE.encode()) <= 25 * 1024


def test_the_style_sheet_names_only_files_of_the_house() -> None:
    named = re.findall(r"url\(([^)]+)\)", STYLE)
    assert named
    for address in named:
        assert (STATIC / address).is_file(), address


def test_every_picture_a_page_names_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', SPRITE))
    for page in PAGES:
        for name in re.findall(r'\bicon\("([^"]+)"', page.read_text(encoding="utf-8")):
            assert name in drawn, f"{page.name}: {name}"


def test_the_sprite_holds_nothing_that_no_page_uses() -> None:
    told = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    drawn = re.findall(r'<symbol id="([^"]+)"', SPRITE)
    assert [name for name in drawn if not re.search(rf"[\"']{name}[\"']", told)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "templates")))
def test_a_page_holds_nothing_the_content_policy_refuses(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", text), "a style attribute"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "a script attribute"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "an inline script"
    assert not re.search(r"<style", text), "an inline style sheet"
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//", text), "something from elsewhere"
    assert not re.search(rf"class=\"[^\"]*\b(?:{WITH_DATA_PICTURES})\b", text), "a class with a data: picture"
