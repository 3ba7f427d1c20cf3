"""The night watch: plain turns over rows that are the truth, called periodically and woken after commits."""
