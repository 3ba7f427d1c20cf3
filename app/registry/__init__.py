"""The register: credit records of each subject, and the rules by which a received row becomes one.

The modules that read a value (codes, numbers, days, money, text, masking, blind, directory) are pure functions:
no database, no request, no clock. Whatever they say to a person is a `Sentence` (see `text.py`).
"""
