#!/usr/bin/env python3
"""Cell updates per second of processor time: this demo's solver beside PyMPDATA, on one core each.

Runs in a Python that has PyMPDATA (pip install PyMPDATA), and installs nothing itself. Both compute the same: a
Gaussian on a periodic grid in a steady flow, two passes. Their runs alternate, so that a disturbance meets both;
the table has the median of the runs and their range. The ratio is that of our median to PyMPDATA's best run.
PyMPDATA's compilation is timed apart.

Two limits stand beside it: what this core's memory would allow, from a sum of large arrays measured here and the
numbers that a step cannot but move (a read of the field and of both Courant numbers, a write of the field), and what
the arithmetic allows, from the same kernel on a grid that stays in the cache. With two ranks, and with two threads in one
rank, the wall time counts.
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
# Numbers that a step reads and writes per cell: the field twice, a Courant number per direction.
MOVED = 4
# Numbers of an array that says how fast the memory is: 64 MiB, more than caches hold.
ENTRIES = 1 << 23
# A grid that stays in the cache of a core.
CACHED = (64, 256)
CACHED_STEPS = 3000
# Cells a side for two ranks and two threads.
RANKS_SIZE = 512
ENVIRONMENT = {
    **os.environ,
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_btl": "self,vader",
}


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


def own(program, shape, dtype, nonoscillatory, steps, ranks=1, threads=1):
    """What the program says of a run."""
    command = [program, "--headless", "--size", "{}x{}".format(*shape), "--steps", str(steps)]
    command += ["--precision", "f32" if dtype is np.float32 else "f64", "--flow", "translation"]
    command += ["--threads", str(threads)]
    command += ["--non-oscillatory"] if nonoscillatory else []
    if ranks > 1:
        command = ["mpirun", "-n", str(ranks), "--oversubscribe", *command]
    line = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout
    return dict(word.split("=", 1) for word in line.split())


def own_rate(program, shape, dtype, nonoscillatory, steps):
    """Cell updates per second of processor time of the program on one rank."""
    words = own(program, shape, dtype, nonoscillatory, steps)
    return steps * shape[0] * shape[1] / float(words["cpu_s"])


def bandwidth():
    """Bytes per second of processor time that one core moves when NumPy adds large arrays: the best of several."""
    one, other, total = np.ones(ENTRIES), np.ones(ENTRIES), np.zeros(ENTRIES)
    times = []
    for _ in range(8):
        began = time.process_time()
        np.add(one, other, out=total)
        times.append(time.process_time() - began)
    return 3 * one.nbytes / min(times)


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
    moved = bandwidth()
    print(f"memory, as far as NumPy's addition drives it: {moved / 1e9:.1f} GB/s read and written")
    print(
        f"{'':28}{'PyMPDATA':>22}{'advection':>22}{'ratio':>8}{'compiling':>11}"
        f"{'of memory':>11}{'of in-cache':>12}"
    )
    for size in arguments.sizes:
        steps = max(20, 50_000_000 // size**2)
        for dtype in (np.float64, np.float32):
            for nonoscillatory in (False, True):
                peer = Peer(size, dtype, nonoscillatory)
                case = (dtype, nonoscillatory)
                runs = [
                    (
                        peer.rate(steps),
                        own_rate(arguments.program, (size, size), *case, steps),
                        own_rate(arguments.program, CACHED, *case, CACHED_STEPS),
                    )
                    for _ in range(arguments.repeats)
                ]
                theirs, ours, cached = zip(*runs)
                middle = statistics.median(ours)
                memory = middle * MOVED * np.dtype(dtype).itemsize / moved
                name = f"{size}^2 {np.dtype(dtype).name} {'non-osc.' if nonoscillatory else 'basic'}"
                print(
                    f"{name:28}{summary(theirs):>22}{summary(ours):>22}"
                    f"{middle / max(theirs):7.1f}x{peer.compile_s:9.0f} s"
                    f"{100 * memory:9.0f} %{100 * middle / statistics.median(cached):10.0f} %",
                    flush=True,
                )
    two_cores(arguments)
    print(f"load after: {load()}")


def two_cores(arguments):
    """Prints how many times as fast two ranks, and two threads, are as one of each, by the clock; that wants two free cores,
    for who waits computes nothing else."""
    shape, steps = (RANKS_SIZE, RANKS_SIZE), 2000
    ways = {"one": {}, "two ranks": {"ranks": 2}, "two threads": {"threads": 2}}
    for dtype in (np.float64, np.float32):
        walls = {name: [] for name in ways}
        for _ in range(arguments.repeats):
            for name, way in ways.items():
                walls[name].append(float(own(arguments.program, shape, dtype, False, steps, **way)["wall_s"]))
        one = statistics.median(walls["one"])
        for name in list(ways)[1:]:
            print(
                f"{name}, {RANKS_SIZE}^2 {np.dtype(dtype).name} basic, wall time on {os.cpu_count()} cores: "
                f"{one / statistics.median(walls[name]):.2f} times one (one {min(walls['one']):.3f} to "
                f"{max(walls['one']):.3f} s, {name} {min(walls[name]):.3f} to {max(walls[name]):.3f} s; load {load()})"
            )


if __name__ == "__main__":
    sys.exit(main())
