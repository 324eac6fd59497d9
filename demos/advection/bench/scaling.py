#!/usr/bin/env python3
"""Steps per second on one, two and four computers, and what more of them would do.

The computers are emulated (emulated.py): real MPI over TCP, links of 1 Gbit/s, this machine's cores. Runs of one and of
more ranks alternate, so that a disturbance meets both; tables have medians and ranges. The model (model.py) is fitted to
some of the runs and must be near the others; if it is not, the program fails. Needs root.
"""

import argparse
import os
import statistics
import sys

import emulated
import model

# As on the screen: f32, two limited passes with the infinite gauge.
OPTIONS = "--headless --precision f32 --infinite-gauge --non-oscillatory --flow translation".split()
DEMO = (800, 400)
# Runs of one and two ranks that the model is fitted to, and those that it must foresee.
SMALL = [(32, 32), (64, 64), (96, 96)]
FORESEEN = [(128, 128), (192, 192), (256, 256), (384, 384), (512, 512), DEMO, (1024, 1024), (2048, 2048)]
# Columns of runs with six rows a rank, which are all halo: messages of up to 50 kB, which MPI sends at once.
THIN = [512, 2048, 4096]
WEAK = [(256, 256), (512, 512)]
# Most that a median may deviate from the model, as a share of it.
TOLERANCE = 0.25
# From this speed-up on, a second computer is said to help.
HELPS = 1.1
# About how long a run computes, s.
RUN_S = 0.15
LIMIT_S = 60


class Runs:
    """Runs on the emulated computers, and how long a step took in each."""

    def __init__(self, program, computers):
        self.program = program
        self.cluster = emulated.Cluster(computers)
        self.all = {}

    def run(self, n, nx, ny):
        """One run, noted: seconds per step, and of its ranks the longest time for messages and waiting."""
        guess = nx * ny / n * 3e-9 + n * 20e-6 + (n > 1) * model.sent(ny) / emulated.LINK
        steps = max(10, int(RUN_S / guess))
        crowded = os.cpu_count() < n
        command = [self.program, *OPTIONS, "--size", f"{nx}x{ny}", "--steps", str(steps)]
        words = emulated.answer(self.cluster.start(range(n), command, crowded), LIMIT_S)
        talk, wait, sent = (
            [float(number) for number in words[name].split(",")]
            for name in ("communicate_s", "wait_s", "halo_bytes")
        )
        halo = max(map(sum, zip(talk, wait)))
        sent = max(sent) / steps
        if n > 1 and ny % 16 == 0 and sent != model.sent(ny):
            sys.exit(f"a rank of {nx}x{ny} sends {sent} bytes per step, not {model.sent(ny)}: correct model.py")
        self.all.setdefault((n, nx, ny), []).append((float(words["wall_s"]) / steps, halo / steps))

    def alternate(self, cases, repeats):
        """Runs every case so many times, in turn."""
        for _ in range(repeats):
            for case in cases:
                self.run(*case)

    def step_s(self, *case):
        """Median seconds per step."""
        return statistics.median(step for step, _ in self.all[case])

    def halo_s(self, *case):
        """Median seconds per step for messages and waiting, of the rank that had most."""
        return statistics.median(halo for _, halo in self.all[case])

    def case(self, *case):
        """As the fit wants it."""
        return (*case, self.step_s(*case))

    def text(self, *case):
        """Median and range of a step, us."""
        steps = [step * 1e6 for step, _ in self.all[case]]
        return f"{statistics.median(steps):8.1f} ({min(steps):.0f} to {max(steps):.0f})"


def load():
    """The load averages, as far as the system says them."""
    return ", ".join(f"{average:.2f}" for average in os.getloadavg())


def strong(runs, fitted):
    """The table of one and two computers; the worst deviation of the model among what it had not seen."""
    print("\nthe same grid on one and two computers: microseconds per step, median (range)")
    print(f"{'grid':11}{'one':>24}{'two':>24}{'speed-up':>9}{'halo':>8}{'model, one':>17}{'two':>16}")
    worst, helps = 0.0, None
    for nx, ny in SMALL + FORESEEN:
        one, two = runs.step_s(1, nx, ny), runs.step_s(2, nx, ny)
        off = [runs.step_s(n, nx, ny) / fitted.step_s(n, nx, ny) - 1 for n in (1, 2)]
        told = [f"{fitted.step_s(n, nx, ny) * 1e6:.1f} ({100 * o:+.0f} %)" for n, o in zip((1, 2), off)]
        print(
            f"{f'{nx}x{ny}':11}{runs.text(1, nx, ny):>24}{runs.text(2, nx, ny):>24}{one / two:9.2f}"
            f"{runs.halo_s(2, nx, ny) * 1e6:8.1f}{told[0]:>17}{told[1]:>16}"
            + ("" if (nx, ny) in FORESEEN else "  fitted")
        )
        if (nx, ny) in FORESEEN:
            worst = max(worst, abs(off[1]))
        if nx == ny:
            # The smallest square from which on all larger ones are faster.
            helps = (helps or nx) if HELPS <= one / two else None
    print(f"a second computer helps (speed-up of {HELPS} or more) from {helps}x{helps} on")
    return worst


def thin(runs, fitted, cores):
    """The table of the halo alone."""
    print("\nsix rows a rank, hardly anything but halo: microseconds per step, median (range)")
    print(f"{'computers':11}{'columns':>8}{'bytes sent':>12}{'step':>26}{'halo':>9}{'model':>17}")
    for n in (2, 4):
        for ny in THIN:
            case = (n, 6 * n, ny)
            off = 100 * (runs.step_s(*case) / fitted.step_s(*case) - 1)
            print(
                f"{n:<11}{ny:8}{model.sent(ny):12}{runs.text(*case):>26}{runs.halo_s(*case) * 1e6:9.1f}"
                f"{fitted.step_s(*case) * 1e6:9.1f} ({off:+.0f} %)" + ("  fitted" if n <= cores else "")
            )


def weak(runs, cores):
    """The table of as much for every computer."""
    print("\nas many cells for every computer: microseconds per step, median (range)")
    print(f"{'computers':11}{'grid':11}{'step':>26}{'ranks a core':>14}{'efficiency':>12}")
    for nx, ny in WEAK:
        for n in (1, 2, 4):
            case = (n, n * nx, ny)
            crowd = max(1, n / cores)
            efficiency = runs.step_s(1, nx, ny) * crowd / runs.step_s(*case)
            print(f"{n:<11}{f'{n * nx}x{ny}':11}{runs.text(*case):>26}{crowd:14.0f}{efficiency:12.2f}")
    print("where two ranks share a core, half of the step counts: what one waits, the other may compute")


def foretell(fitted, extra_s):
    """The table of computers that are not here."""
    print("\nforetold: computers with a core like this one's on a cable of that bandwidth: steps per second (efficiency)")
    print(f"{'grid':12}{'latency':>9}" + "".join(f"{n:>18}" for n in (1, 2, 8, 64)))
    for nx, ny in (DEMO, (2048, 2048), (8192, 8192)):
        for extra in (0, extra_s):
            link = model.dataclasses.replace(fitted, emulated=False, latency=fitted.latency + extra)
            told = [
                f"{1 / link.step_s(n, nx, ny):.4g} ({100 * link.speed_up(n, nx, ny) / n:.0f} %)"
                for n in (1, 2, 8, 64)
            ]
            print(f"{f'{nx}x{ny}':12}{link.latency * 1e6:6.0f} us" + "".join(f"{text:>18}" for text in told))


def main():
    """Measures, fits, prints, and fails if the model is not what was measured."""
    emulated.enter()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the built program, such as target/release/advection")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument(
        "--slower-us", type=float, default=100, help="also foretell for a link whose messages take this much longer (default: 100)"
    )
    arguments = parser.parse_args()
    if arguments.repeats < 1:
        parser.error("give at least 1 repeat")
    cores = os.cpu_count()
    print(f"load before: {load()}; {cores} cores; {arguments.repeats} alternating runs of each")
    runs = Runs(os.path.abspath(arguments.program), 4)
    squares = [(n, nx, ny) for nx, ny in SMALL + FORESEEN for n in (1, 2)]
    runs.alternate(squares, arguments.repeats)
    runs.alternate([(n, 6 * n, ny) for ny in THIN for n in (2, 4)], arguments.repeats)
    runs.alternate([(n, n * nx, ny) for nx, ny in WEAK for n in (1, 2, 4)], arguments.repeats)

    fitted = model.fit(
        [runs.case(1, nx, ny) for nx, ny in SMALL + FORESEEN],
        [runs.case(2, nx, ny) for nx, ny in SMALL],
        [runs.case(2, 12, ny) for ny in THIN],
    )
    print(
        f"fitted: {1e-6 / fitted.cell_s(2**16):.0f} million cells/s in parts of 2^16 cells, {1e-6 / fitted.cell_s(2**20):.0f} "
        f"in 2^20, {1e-6 / fitted.cell_s(2**22):.0f} in 2^22; {fitted.row * 1e9:.0f} ns a row; talk {fitted.talk * 1e6:.1f} us; "
        f"link {fitted.latency * 1e6:.1f} us and {fitted.bandwidth / 1e6:.0f} MB/s"
    )
    worst = strong(runs, fitted)
    thin(runs, fitted, cores)
    weak(runs, cores)
    foretell(fitted, arguments.slower_us * 1e-6)
    print(f"\nload after: {load()}")
    print(f"of two computers, the model is off by {100 * worst:.0f} % at most where it was not fitted; allowed are {100 * TOLERANCE:.0f} %")
    return int(TOLERANCE < worst)


if __name__ == "__main__":
    sys.exit(main())
