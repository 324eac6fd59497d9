#!/usr/bin/env python3
"""Cell updates per second of processor time: this demo's solver beside PyMPDATA, on one core each.

Runs in a Python that has PyMPDATA (pip install PyMPDATA), and installs nothing itself. Both compute the same: a
Gaussian on a periodic grid in a steady flow, two passes. Their runs alternate, so that a disturbance meets both;
the table has the median of the runs and their range. PyMPDATA's compilation is timed apart.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

import numpy as np
from PyMPDATA import Options, ScalarField, Solver, Stepper, VectorField
from PyMPDATA.boundary_conditions import Periodic

COURANT = (0.2, 0.05)


class Peer:
    """PyMPDATA, compiled for one set of options."""

    def __init__(self, size, dtype, nonoscillatory):
        options = Options(n_iters=2, nonoscillatory=nonoscillatory, dtype=dtype)
        boundary = (Periodic(), Periodic())
        x = (np.arange(size) + 0.5 - size / 2) / (size / 9)
        psi = np.exp(-0.5 * (x[:, None] ** 2 + x[None, :] ** 2)).astype(dtype)
        faces = tuple(
            np.full(shape, courant, dtype)
            for shape, courant in zip(((size + 1, size), (size, size + 1)), COURANT)
        )
        began = time.perf_counter()
        self.solver = Solver(
            Stepper(options=options, n_dims=2, n_threads=1),
            ScalarField(psi, halo=options.n_halo, boundary_conditions=boundary),
            VectorField(faces, halo=options.n_halo, boundary_conditions=boundary),
        )
        self.solver.advance(1)
        self.compile_s = time.perf_counter() - began
        self.size = size

    def rate(self, steps):
        """Cell updates per second of processor time."""
        began = time.process_time()
        self.solver.advance(steps)
        return steps * self.size**2 / (time.process_time() - began)


def own_rate(program, size, dtype, nonoscillatory, steps):
    """Cell updates per second of processor time of the program on one rank."""
    command = [program, "--headless", "--size", f"{size}x{size}", "--steps", str(steps)]
    command += ["--precision", "f32" if dtype is np.float32 else "f64", "--flow", "translation"]
    command += ["--non-oscillatory"] if nonoscillatory else []
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = dict(word.split("=", 1) for word in line.split())
    return steps * size**2 / float(words["cpu_s"])


def summary(rates):
    """Median and range, millions per second."""
    low, middle, high = (r / 1e6 for r in (min(rates), statistics.median(rates), max(rates)))
    return f"{middle:6.0f} ({low:4.0f} to {high:4.0f})"


def load():
    """The load averages, as far as the system says them."""
    return ", ".join(f"{average:.2f}" for average in os.getloadavg())


def main():
    """Prints one line per case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the built program, such as target/release/advection")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024], help="cells a side")
    arguments = parser.parse_args()
    if arguments.repeats < 1 or min(arguments.sizes) < 16:
        parser.error("give at least 1 repeat and sizes of at least 16 cells")

    print(f"load before: {load()}; {arguments.repeats} alternating runs of each, one core")
    print("million cell updates per second of processor time: median (range)")
    print(f"{'':28}{'PyMPDATA':>22}{'advection':>22}{'ratio':>8}{'compiling':>11}")
    for size in arguments.sizes:
        steps = max(20, 50_000_000 // size**2)
        for dtype in (np.float64, np.float32):
            for nonoscillatory in (False, True):
                peer = Peer(size, dtype, nonoscillatory)
                case = (size, dtype, nonoscillatory)
                pairs = [
                    (peer.rate(steps), own_rate(arguments.program, *case, steps))
                    for _ in range(arguments.repeats)
                ]
                theirs, ours = zip(*pairs)
                ratio = statistics.median(ours) / statistics.median(theirs)
                name = f"{size}^2 {np.dtype(dtype).name} {'non-osc.' if nonoscillatory else 'basic'}"
                print(
                    f"{name:28}{summary(theirs):>22}{summary(ours):>22}"
                    f"{ratio:7.1f}x{peer.compile_s:9.0f} s",
                    flush=True,
                )
    print(f"load after: {load()}")


if __name__ == "__main__":
    sys.exit(main())
