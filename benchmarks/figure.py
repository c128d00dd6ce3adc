"""What a row of the table holds: a figure, the values it was made of, and the goal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles

from attrs import Factory, frozen


@frozen(kw_only=True)
class Goal:
    """A bound; ``at_least`` where more is better."""

    limit: float
    at_least: bool = False

    def met(self, figure: float) -> bool:
        """Return whether a figure keeps to it."""
        return figure >= self.limit if self.at_least else figure <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@frozen(kw_only=True)
class Figure:
    """One measured row.

    :param name: the word that chooses it on the command line, with ``/part`` where it has several.
    :param what: the row in words.
    :param figures: the figure of each round; their median is compared with the goal.
    :param of: what the figure is, e.g. ``× floor``.
    :param values: the median of each contestant, in ``unit``.
    """

    name: str
    what: str
    figures: Sequence[float]
    of: str
    values: Mapping[str, float]
    unit: str
    goal: Goal
    note: str = ""

    @property
    def figure(self) -> float:
        """The median of the figures."""
        return median(self.figures)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles of the figures; both are the figure if there is only one."""
        if len(self.figures) < 2:
            return self.figures[0], self.figures[0]
        low, _, high = quantiles(self.figures, n=4, method="inclusive")
        return low, high

    @property
    def met(self) -> bool:
        """Whether the figure keeps to the goal."""
        return self.goal.met(self.figure)


@frozen
class Rounds:
    """Measurements of several contestants, taken in turns: one of each per round."""

    taken: Mapping[str, list[float]] = Factory(dict)

    def __getitem__(self, name: str) -> float:
        return median(self.taken[name])

    def values(self, factor: float = 1.0) -> dict[str, float]:
        """Return the median of each contestant, in another unit where there is a factor."""
        return {name: self[name] * factor for name in self.taken}

    def each(self, of: Callable[..., float], *names: str) -> list[float]:
        """Compute a figure in each round, from what was measured in that round."""
        return [of(*row) for row in zip(*(self.taken[name] for name in names), strict=True)]

    def ratios(self, name: str, to: str) -> list[float]:
        """Divide in each round."""
        return self.each(lambda dividend, divisor: dividend / divisor, name, to)


def in_turns(measures: Mapping[str, Callable[[], float]], rounds: int) -> Rounds:
    """Measure each contestant once a round; every other round goes the other way about."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        names = list(measures) if number % 2 == 0 else list(reversed(measures))
        for name in names:
            taken[name].append(measures[name]())
    return Rounds(taken)
