"""The print room: a document's text is frozen in the transaction of its step, its ink comes later.

`freeze` writes number, verification code, HTML and hash; `press` makes the PDF and `sign` signs it, outside every
transaction; `check` answers whoever holds a document or its file in their hands. What a document says stands in
`templates/documents/<case type>/<kind>.html`; each template also names its own kind word (字) and result.

The frozen HTML has no style, script, picture or link to a file: it is readable by itself in any browser. On paper it
wears `style/letter.css`; a page of ours shows its `<article>` (see `reading.article`) with `static/letter.css`.
"""
