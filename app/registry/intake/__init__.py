"""报送: files of records as they really arrive, read row by row, judged by the directory, written in chunks.

`sheet` opens a file, `heading` finds out what its columns mean, `rows` are what stands below; `judge` says what becomes
of a row, `write` writes a chunk of verdicts; `batch` is the life of a file from preview to the last row, `mend` that of
a row that waits, `undo` takes a batch back.
"""
