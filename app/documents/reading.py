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

    Raises TextAltered when the text does not have the hash it was frozen with.
    """
    found = _ARTICLE.search(html)
    if found is None or hashlib.sha256(html.encode()).hexdigest() != html_hash:
        raise TextAltered("文书的文字与出具时的指纹不一致，已停止显示，请联系管理员。")
    return Markup(found[0])
