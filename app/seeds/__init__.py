"""The demonstration: invented subjects, penalties and people, and the offices of the province they meet."""
