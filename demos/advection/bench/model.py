"""The model of the time per step: what it says, and how its parameters are fitted.

A grid of nx rows of ny cells, dealt out by rows over n computers with one rank each; times in seconds, messages in bytes.

    t(1)       = compute(1)
    t(n)       = compute(n) + talk + max(0, latency + bytes / bandwidth - hidden(n))
    compute(n) = (nx / n + again) (row + ny cell)
    bytes      = 2 * 3 rows * (ny + 32) * 4          to two neighbours, each 3 rows of 4-byte numbers and what pads them
    again      = 6 rows for n = 1, 12 for n > 1      computed besides the own ones (slab.rs: where its sweeps begin and end)
    hidden(n)  = (nx / n - 6) (row + ny cell)        by a cable: messages travel while the inner rows are computed
               = compute(n) + talk                   by an emulated link, which catches up later (emulated.py)

`cell`, 1 / rate, is the time for a cell: that of one rank alone with as many cells as the part has, in a straight line over
the logarithm of their number between the sizes that were measured, because larger parts fall out of the processor's caches.
`row` is the time for beginning a row. `talk` is the processor's time for an exchange: handing
messages to the system, taking them, and beginning two more sweeps. `latency` and `bandwidth` are the link's; a computer
reaches both neighbours over one link, so neither depends on n.
"""

import dataclasses
import math
import statistics

# Rows of halo: two limited passes with the infinite gauge, as on the screen.
HALO = 3
# Entries of a row besides its cells, and bytes of an entry (f32).
PADDING = 32
NUMBER = 4
# Cells up to which a grid is in the caches of any processor; there rows and cells are told apart.
IN_CACHE = 1 << 17


def sent(ny):
    """Bytes that a rank sends per step, if ny is a multiple of 16."""
    return 2 * HALO * (ny + PADDING) * NUMBER


@dataclasses.dataclass
class Model:
    """The parameters, in seconds and bytes per second, and whether the link is an emulated one."""

    row: float
    # Cells of a part, ascending, and the seconds for each of them.
    cell: list[tuple[int, float]]
    talk: float = 0.0
    latency: float = 0.0
    bandwidth: float = float("inf")
    emulated: bool = True

    def compute_s(self, n, nx, ny):
        """Seconds that a rank computes per step."""
        rows, again = nx / n, 2 * HALO if n == 1 else 4 * HALO
        return (rows + again) * self.row_s(rows, ny)

    def row_s(self, rows, ny):
        """Seconds for a row of a part of so many rows."""
        return self.row + ny * self.cell_s(rows * ny)

    def cell_s(self, cells):
        """Seconds for a cell of a part of so many; beyond the smallest and the largest measured one it stays."""
        cells = min(max(cells, self.cell[0][0]), self.cell[-1][0])
        for (few, fast), (many, slow) in zip(self.cell, self.cell[1:]):
            if cells <= many:
                return fast + (slow - fast) * math.log(cells / few) / math.log(many / few)
        return self.cell[-1][1]

    def step_s(self, n, nx, ny):
        """Seconds per step."""
        compute = self.compute_s(n, nx, ny)
        if n == 1:
            return compute
        travel = self.latency + sent(ny) / self.bandwidth
        inner = max(0, nx / n - 2 * HALO) * self.row_s(nx / n, ny)
        hidden = compute + self.talk if self.emulated else inner
        return compute + self.talk + max(0, travel - hidden)

    def speed_up(self, n, nx, ny):
        """How many times as many steps per second as one computer."""
        return self.step_s(1, nx, ny) / self.step_s(n, nx, ny)


def fit(alone, small, thin):
    """The model of three kinds of runs, each (n, nx, ny, seconds per step): one rank alone, in cache and not, for the
    computing; two ranks with small parts and little to send, for `talk`; and ranks with hardly anything but halo, for the
    link. Deviations are relative: a step of 20 us counts as much as one of 10 ms."""
    in_cache = [run for run in alone if run[1] * run[2] <= IN_CACHE]
    rows = [[nx + 2 * HALO, (nx + 2 * HALO) * ny] for _, nx, ny, _ in in_cache]
    row, _ = relative_fit(rows, [seconds for *_, seconds in in_cache])
    cells = [(nx * ny, (seconds / (nx + 2 * HALO) - row) / ny) for _, nx, ny, seconds in alone]
    model = Model(row, sorted(cells))
    latency, byte = relative_fit(
        [[1, sent(ny)] for _, _, ny, _ in thin], [seconds for *_, seconds in thin]
    )
    model.latency, model.bandwidth = latency, 1 / byte
    model.talk = statistics.mean(s - model.compute_s(n, nx, ny) for n, nx, ny, s in small)
    return model


def relative_fit(columns, values):
    """The two coefficients for which the columns' sum deviates least from the values, in squares relative to them."""
    scaled = [(one / value, other / value) for (one, other), value in zip(columns, values)]
    aa, ab, bb = (sum(row[i] * row[j] for row in scaled) for i, j in ((0, 0), (0, 1), (1, 1)))
    a, b = (sum(row[i] for row in scaled) for i in (0, 1))
    return (a * bb - b * ab) / (aa * bb - ab * ab), (b * aa - a * ab) / (aa * bb - ab * ab)
