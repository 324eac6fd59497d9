#!/usr/bin/env python3
"""A demo that tells from inside the kiosk's unit what a demo can do there: machine code written at run time, ssh, and what
is refused. Leaves its answers in the kiosk's state folder."""
import ctypes, json, mmap, os, subprocess

answers = {}


def compiled():
    """As a just-in-time compiler does it: write machine code (mov eax, 42; ret), then run it."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x2a\x00\x00\x00\xc3")
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()


def neighbour():
    ssh = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "neighbour@localhost", "id", "-un"]
    return subprocess.run(ssh, capture_output=True, text=True, timeout=60).stdout.strip()


def refused(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return "allowed"


def of_libc(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


answers["compiled"] = compiled()
answers["neighbour"] = neighbour()
answers["write /usr"] = refused(lambda: open("/usr/probe", "w"))
answers["read /etc/shadow"] = refused(lambda: open("/etc/shadow"))
answers["read the disk"] = refused(lambda: open("/dev/vda", "rb"))
answers["new namespace"] = refused(lambda: of_libc("unshare", 0x10000000))
answers["reboot"] = refused(lambda: of_libc("reboot", 0))
answers["real time"] = refused(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
answers["user"] = os.getuid()
path = os.path.expanduser("~/probe.json")
with open(path + ".new", "w") as file:
    json.dump(answers, file)
os.rename(path + ".new", path)
