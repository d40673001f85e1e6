"""Days, and how counts fade from one to the next."""

import dataclasses

import numpy as np

# Weights are integers, so that their sums are exact in whatever order they are added.
_ONE = 2**24


@dataclasses.dataclass(frozen=True)
class Days:
    """Half-open intervals of time, [k L, (k + 1) L), and counts that fade with a half-life h.

    The recent count of a key is the sum of 2^(-(t - t_e) / h) over its earlier events e. It goes
    from day to day: V_d is its value at the start of day d; an event in that day weighs
    w(t_e) = round(2^24 2^((t_e - start_d) / h)); U_d = V_d + (sum of w) / 2^24, and
    V_d' = U_d 2^(-(d' - d) L / h) for the next day d' that the key is active in. A log that is
    joined day by day and one that is joined at once go through the same floating-point operations,
    so they agree to the bit.

    Attributes:
        length: L, microseconds.
        half_life: h, microseconds; L / h is 8 at most.
    """

    length: int
    half_life: float

    def of(self, time: np.ndarray) -> np.ndarray:
        """Days, int64, of times (microseconds since 1970)."""
        return time // self.length

    def weights(self, time: np.ndarray) -> np.ndarray:
        """W of events at some times: int64, in units of `as_count`."""
        return np.rint(_ONE * np.exp2(self._since_start(time))).astype(np.int64)

    def within(self, time: np.ndarray) -> np.ndarray:
        """What has faded since the start of the day: 2^(-(t - start_d) / h), float64."""
        return np.exp2(-self._since_start(time))

    def between(self, days: np.ndarray) -> np.ndarray:
        """What fades over some days: 2^(-days L / h), float64."""
        return np.exp2(-(days * (self.length / self.half_life)))

    @staticmethod
    def as_count(weights: np.ndarray) -> np.ndarray:
        """A sum of weights as float64, in which an event at the start of the day counts 1."""
        return weights / _ONE

    def _since_start(self, time: np.ndarray) -> np.ndarray:
        return (time - self.of(time) * self.length) / self.half_life
