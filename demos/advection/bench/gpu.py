#!/usr/bin/env python3
"""Advection on this machine's GPU in figures, as JSON that can be sent back.

    python bench/gpu.py target/release/advection [--peak-gb-s 25.6] [--sizes 512 1024] [--steps 2000] [--repeats 5]

For every scheme and size: million cell updates per second of wall time, and the bandwidth that is in use if every kernel reads
and writes each of its fields once (README, "On a GPU"); with the device's peak, the share of it. Whole steps, transfers of
the field every 500 steps included.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys

# Scheme, its options, and the f32 that its kernels read and write per cell and step.
SCHEMES = {
    "upwind": (["--passes", "1"], 4),
    "two passes": (["--passes", "2"], 4 + 4),
    "limited, infinite gauge": (["--non-oscillatory", "--infinite-gauge"], 4 + 5 + 6 + 6),
}


def run(program, size, steps, options):
    """One run; what its line says, by key."""
    command = [program, "--headless", "--device", "gpu", "--precision", "f32", "--flow", "swirl", "--initial", "board"]
    command += ["--size", f"{size}x{size}", "--steps", str(steps), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stderr.strip()}\nno figures: {' '.join(command)} has failed")
    return dict(word.split("=", 1) for word in done.stdout.split())


def measure(arguments):
    """All figures."""
    device, figures = None, []
    for scheme, (options, numbers) in SCHEMES.items():
        for size in arguments.sizes:
            lines = [run(arguments.program, size, arguments.steps, options) for _ in range(arguments.repeats)]
            if any(line["gpus"] != "1" for line in lines):
                sys.exit("no figures: the GPU has failed, see above")
            device = lines[0]["gpu"]
            rates = [float(line["cell_updates_per_s"]) for line in lines]
            median = statistics.median(rates)
            figure = {
                "scheme": scheme,
                "size": size,
                "steps": arguments.steps,
                "mcell_updates_per_s": round(median * 1e-6, 3),
                "spread_percent": round(100 * (max(rates) - min(rates)) / median, 1),
                "bandwidth_gb_per_s": round(median * 4 * numbers * 1e-9, 3),
            }
            if arguments.peak_gb_s:
                figure["share_of_peak"] = round(figure["bandwidth_gb_per_s"] / arguments.peak_gb_s, 4)
            figures.append(figure)
    return {
        "device": device,
        "host": platform.node(),
        "machine": platform.machine(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "repeats": arguments.repeats,
        "peak_gb_per_s": arguments.peak_gb_s,
        "figures": figures,
    }


def main():
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--peak-gb-s", type=float, help="the device's bandwidth by its data sheet, GB/s")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    print(json.dumps(measure(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
