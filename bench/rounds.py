"""Taking turns: each round runs every variant once, so that whatever else the machine does falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median


class Rounds:
    """What each variant measured, round by round."""

    def __init__(self, variants: Mapping[str, Callable[[], float]], rounds: int) -> None:
        self.rounds = rounds
        self.measured: dict[str, list[float]] = {name: [] for name in variants}
        for number in range(rounds):
            names = list(variants)
            for name in names if number % 2 == 0 else reversed(names):
                self.measured[name].append(variants[name]())

    def middle(self, name: str) -> float:
        """The median of a variant."""
        return median(self.measured[name])

    def ratio(self, name: str, limit: str) -> float:
        """The median of the ratios of two variants, each taken within its round."""
        return median(one / other for one, other in zip(self.measured[name], self.measured[limit], strict=True))
