#!/usr/bin/env python3
"""In the virtual machine: a touch panel of 800x480 that taps where the pipe /run/touch says ("X Y" a line), and a
presenter R400 that only is there, so that udev names its keys."""
import fcntl, os, struct, time

# linux/uinput.h, linux/input-event-codes.h
SET_EVBIT, SET_KEYBIT, SET_ABSBIT, SET_PROPBIT = 0x40045564, 0x40045565, 0x40045567, 0x4004556E
DEV_CREATE, DEV_SETUP, ABS_SETUP = 0x5501, 0x405C5503, 0x401C5504
EV_SYN, EV_KEY, EV_ABS, BTN_TOUCH, DIRECT, BUS_USB = 0, 1, 3, 0x14A, 1, 3
ABS_X, ABS_Y, SLOT, POSITION_X, POSITION_Y, TRACKING = 0x00, 0x01, 0x2F, 0x35, 0x36, 0x39


def device(name, product, keys, axes):
    made = os.open("/dev/uinput", os.O_WRONLY)
    fcntl.ioctl(made, SET_EVBIT, EV_KEY)
    for key in keys:
        fcntl.ioctl(made, SET_KEYBIT, key)
    if axes:
        fcntl.ioctl(made, SET_EVBIT, EV_ABS)
        fcntl.ioctl(made, SET_PROPBIT, DIRECT)
    for axis, most in axes.items():
        fcntl.ioctl(made, SET_ABSBIT, axis)
        fcntl.ioctl(made, ABS_SETUP, struct.pack("HxxiiiiiI", axis, 0, 0, most, 0, 0, 0))
    fcntl.ioctl(made, DEV_SETUP, struct.pack("HHHH80sI", BUS_USB, *product, 1, name, 0))
    fcntl.ioctl(made, DEV_CREATE)
    return made


def say(panel, *events):
    for kind, code, value in [*events, (EV_SYN, 0, 0)]:
        os.write(panel, struct.pack("llHHi", 0, 0, kind, code, value))


axes = {ABS_X: 799, ABS_Y: 479, SLOT: 9, POSITION_X: 799, POSITION_Y: 479, TRACKING: 65535}
panel = device(b"Test touch panel", (0x1234, 0x5678), [BTN_TOUCH], axes)
presenter = device(b"Logitech USB Receiver", (0x046D, 0xC52D), [1, 52, 63, 104, 109], {})
if not os.path.exists("/run/touch"):
    os.mkfifo("/run/touch")
finger = 0
while True:
    with open("/run/touch") as pipe:
        for line in pipe:
            x, y = (int(word) for word in line.split())
            finger += 1
            say(panel, (EV_ABS, SLOT, 0), (EV_ABS, TRACKING, finger), (EV_ABS, POSITION_X, x), (EV_ABS, POSITION_Y, y),
                (EV_ABS, ABS_X, x), (EV_ABS, ABS_Y, y), (EV_KEY, BTN_TOUCH, 1))
            time.sleep(0.1)  # as long as a finger rests
            say(panel, (EV_ABS, TRACKING, -1), (EV_KEY, BTN_TOUCH, 0))
