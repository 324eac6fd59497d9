#!/usr/bin/env python3
"""In the virtual machine: makes one thread stand still while the others of its process go on.  hang.py THREAD"""
import ctypes, os, sys

libc = ctypes.CDLL(None, use_errno=True)
SEIZE, INTERRUPT = 0x4206, 0x4207  # linux/ptrace.h
for request in (SEIZE, INTERRUPT):
    if libc.ptrace(request, int(sys.argv[1]), None, None) != 0:
        sys.exit(f"ptrace: error {ctypes.get_errno()}")
print("it stands still", flush=True)
ALL = 0x40000000  # __WALL
while True:
    # Its end is told to us first: unless we hear of it, systemd does not.
    _, status = os.waitpid(int(sys.argv[1]), ALL)
    if os.WIFEXITED(status) or os.WIFSIGNALED(status):
        break
