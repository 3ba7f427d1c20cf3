"""Texts in other languages. Chinese is the source; `babel.cfg` finds every sentence a person may read."""
