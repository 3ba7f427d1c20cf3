"""The legal book: what the legal office vouches for, and the days an office itself declares working or rest days."""
