"""Computers as network namespaces on one machine, each behind a link of 1 Gbit/s, and MPI runs across them.

All of it lies in namespaces of its own and ends with this process. Needs root, iproute2, util-linux and Open MPI.
"""

import os
import subprocess
import sys
import tempfile

INSIDE = "ADVECTION_BENCH_INSIDE"
NETWORK = "10.77.0.0/24"
# Bytes per second of a link, one way.
LINK = 125e6
# What a link did not carry while it was idle it carries at once later, up to 256 kB: bytes a second are a cable's, but a
# single message passes as if there were no limit.
SHAPE = "root tbf rate 1gbit burst 256kb latency 20ms"
# What keeps mpirun quiet, and its messages on the links.
MCA = {
    "pml": "ob1",
    "btl": "self,tcp",
    "btl_tcp_if_include": NETWORK,
    "oob_tcp_if_include": NETWORK,
    "hwloc_base_binding_policy": "none",
    "rmaps_base_oversubscribe": "1",
    "plm_rsh_no_tree_spawn": "1",
}


def enter():
    """Goes on in namespaces of its own; returns there only."""
    if INSIDE in os.environ:
        return
    if os.geteuid() != 0:
        sys.exit("emulated computers need root: sudo ./kiosk bench")
    spaces = "unshare --net --mount --pid --fork --mount-proc --kill-child".split()
    os.environ[INSIDE] = "1"
    os.execvp(spaces[0], [*spaces, sys.executable, *sys.argv])


def words(line):
    """Runs a command that must succeed."""
    subprocess.run(line.split(), check=True)


class Cluster:
    """So many computers, each with one slot."""

    def __init__(self, computers):
        self.addresses = [f"10.77.0.{11 + computer}" for computer in range(computers)]
        words("mount -t tmpfs tmpfs /run")
        os.mkdir("/run/netns")
        words("ip link set lo up")
        words("ip link add br0 type bridge")
        words("ip addr add 10.77.0.1/24 dev br0")
        words("ip link set br0 up")
        for computer, address in enumerate(self.addresses):
            outer = f"v{computer}"
            words(f"ip netns add {address}")
            words(f"ip link add {outer} type veth peer name eth0 netns {address}")
            words(f"ip link set {outer} master br0 up")
            words(f"ip -n {address} addr add {address}/24 dev eth0")
            words(f"ip -n {address} link set eth0 up")
            words(f"ip -n {address} link set lo up")
            words(f"tc qdisc add dev {outer} {SHAPE}")
            words(f"tc -n {address} qdisc add dev eth0 {SHAPE}")
        # In ssh's place: a shell of that computer, under a host name of its own, on the next core in turn.
        self.folder = tempfile.TemporaryDirectory()
        self.agent = os.path.join(self.folder.name, "agent")
        with open(self.agent, "w", encoding="utf-8") as agent:
            agent.write(f"#!/bin/sh\nhost=$1\nshift\ncore=$(((${{host##*.}} - 11) % {os.cpu_count()}))\n")
            agent.write('exec taskset -c "$core" ip netns exec "$host" unshare --uts sh -c ')
            agent.write('"hostname node-${host##*.}; $*"\n')
        os.chmod(self.agent, 0o755)

    def start(self, computers, command, oversubscribed=False):
        """Starts the command on these computers (numbers from 0), one rank on each."""
        mca = {**MCA, "plm_rsh_agent": self.agent}
        mca["mpi_yield_when_idle"] = str(int(oversubscribed))
        environment = {f"OMPI_MCA_{name}": value for name, value in mca.items()}
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        environment["TMPDIR"] = self.folder.name
        hosts = ",".join(f"{self.addresses[computer]}:1" for computer in computers)
        return subprocess.Popen(
            ["mpirun", "--leave-session-attached", "--host", hosts, "-n", str(len(computers)), *command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )


def answer(process, limit_s):
    """The words of the one line that a run prints, `name=value` each; a value may be a list with commas."""
    line, _ = process.communicate(timeout=limit_s)
    if process.returncode != 0:
        raise RuntimeError(f"mpirun ended with status {process.returncode}")
    return dict(word.split("=", 1) for word in line.split())
