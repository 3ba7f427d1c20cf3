"""Texts in other languages. Chinese is the source; `babel.cfg` finds every sentence a person may read.

`en/LC_MESSAGES/messages.po` is the English catalogue, its glossary at the head; `catalogue.py` keeps it in step with
the source, `reader.py` says everything in the language of whoever reads.
"""

LANGUAGES = {"zh_Hans_CN": "zh-Hans", "en": "en"}
"""The languages of the pages, the source first: how Babel names them, and how a page names its own."""
