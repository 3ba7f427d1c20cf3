"""A frozen document on a page of ours: its own words in our frame."""

from __future__ import annotations

import hashlib
import re

from markupsafe import Markup

_ARTICLE = re.compile(r"<article\b.*</article>", re.DOTALL)


class TextAltered(ValueError):
    """The kept text is not the one that was frozen."""


def article(html: str, html_hash: str) -> Markup:
    """The `<article>` of a frozen document, to be shown with `static/letter.css`; it was escaped when frozen.

    Its headings go one level down, because the page has an h1 of its own; not a word is changed.
    Raises TextAltered when the text does not have the hash it was frozen with.
    """
    found = _ARTICLE.search(html)
    if found is None or hashlib.sha256(html.encode()).hexdigest() != html_hash:
        raise TextAltered("文书的文字与出具时的指纹不一致，已停止显示，请联系管理员。")
    return Markup(_lower(found[0]))


def _lower(text: str) -> str:
    """The headings one level down: the page around the document has the one h1."""
    for old, new, look in (("h2", "h3", ""), ("h1", "h2", ' class="title"')):
        text = text.replace(f"<{old}>", f"<{new}{look}>").replace(f"</{old}>", f"</{new}>")
    return text
