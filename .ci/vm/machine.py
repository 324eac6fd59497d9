"""A virtual machine under pure emulation: its screen, its keyboard, its power switch, and a root shell of the test's."""
import json, os, socket, struct, subprocess, time, zlib

WIDTH, HEIGHT = 800, 480


class Failure(Exception):
    """A check that did not hold, or could not run."""


class Picture:
    """What the screen shows, three bytes a pixel."""

    def __init__(self, path):
        with open(path, "rb") as file:
            kind, size, depth, self.pixels = file.read().split(b"\n", 3)
        self.width, self.height = (int(word) for word in size.split())
        assert kind == b"P6" and depth == b"255" and len(self.pixels) == self.width * self.height * 3

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return int.from_bytes(self.pixels[at:at + 3], "big") if x < self.width and y < self.height else None

    def page(self):
        """Everything above the strip, which counts seconds."""
        return self.pixels[:self.width * 400 * 3]

    def save(self, path):
        rows = b"".join(b"\0" + self.pixels[y * self.width * 3:(y + 1) * self.width * 3] for y in range(self.height))

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Machine:
    """Boots at once; `image` has the disk and its kernel, `packages` is a second disk. Nothing is written to either."""

    def __init__(self, image, packages, folder):
        self.folder, self.number, self.shell_socket = folder, 0, None
        command_line = ("root=/dev/vda rw console=ttyS0 quiet loglevel=3 vt.global_cursor_default=0 consoleblank=0 "
                        "systemd.show_status=false mitigations=off")
        self.process = subprocess.Popen([
            "qemu-system-x86_64", "-nodefaults", "-machine", "q35,i8042=off", "-accel", "tcg,thread=multi", "-cpu", "max",
            "-smp", "2", "-m", "1024", "-display", "none", "-vga", "none",
            "-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initrd", "-append", command_line,
            "-drive", f"file={image}/disk.img,format=raw,if=none,id=d0,snapshot=on", "-device", "virtio-blk-pci,drive=d0",
            "-drive", f"file={packages},format=raw,if=none,id=d1,snapshot=on", "-device", "virtio-blk-pci,drive=d1",
            "-device", f"virtio-gpu-pci,id=gpu0,edid=on,xres={WIDTH},yres={HEIGHT}",
            "-device", "qemu-xhci,id=usb", "-device", "usb-kbd,id=keyboard,bus=usb.0",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=shell,path={folder}/shell,server=on,wait=off",
            "-device", "virtserialport,chardev=shell,name=testshell",
            "-serial", f"file:{folder}/console", "-qmp", f"unix:{folder}/qmp,server=on,wait=off",
        ])
        self.started = time.monotonic()
        self.qmp_socket = self._connect(f"{folder}/qmp")
        self.qmp_file = self.qmp_socket.makefile("rw")
        self.qmp_file.readline()
        self.qmp("qmp_capabilities")
        self.shell_socket = self._connect(f"{folder}/shell")

    def _connect(self, path):
        for _ in range(100):
            made = socket.socket(socket.AF_UNIX)
            try:
                made.connect(path)
                return made
            except OSError:
                made.close()
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise Failure("QEMU does not start")

    def close(self):
        self.process.kill()
        self.process.wait()

    def qmp(self, command, **arguments):
        self.qmp_file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp_file.flush()
        while True:
            line = self.qmp_file.readline()
            if not line:
                raise Failure("QEMU has ended")
            answer = json.loads(line)
            if "error" in answer:
                raise Failure(f"QEMU, {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def picture(self):
        path = f"{self.folder}/screen.ppm"
        self.qmp("screendump", filename=path)
        return Picture(path)

    def keys(self, *names):
        """One key, or several together."""
        self.qmp("send-key", keys=[{"type": "qcode", "data": name} for name in names])

    def power_cycle(self):
        """The plug is pulled and put in again."""
        self.qmp("system_reset")
        self.started = time.monotonic()

    def wait_shell(self, limit_s=600):
        """Returns when the machine's shell answers, whatever was in the pipe before."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            self.number += 1
            try:
                self.run("true", 3)
                return
            except Failure:
                if self.process.poll() is not None:
                    raise
        raise Failure(f"the machine's shell does not answer after {limit_s} s")

    def run(self, command, limit_s=60):
        """Runs a line of shell in the machine as root; its exit status and what it printed."""
        self.number += 1
        mark = f"end-{self.number}-of-it"
        self.shell_socket.settimeout(limit_s)
        end = time.monotonic() + limit_s
        heard = b""
        try:
            # The mark is put together there, so that an echo of the line is not taken for it.
            self.shell_socket.sendall(f"{{ {command}\n}} </dev/null 2>&1; printf '\\n%s %d\\n' end-{self.number}''-of-it $?\n".encode())
            while True:
                at = heard.find(mark.encode() + b" ")
                if at >= 0 and b"\n" in heard[at:]:
                    break
                self.shell_socket.settimeout(max(0.01, end - time.monotonic()))
                more = self.shell_socket.recv(65536)
                if not more:
                    raise Failure("the machine's shell is gone")
                heard += more
        except TimeoutError:
            raise Failure(f"no answer after {limit_s} s to: {command}") from None
        before, after = heard[:at], heard[at:]
        return int(after.split()[1]), before.decode(errors="replace").strip()

    def ask(self, command, limit_s=60):
        """The same for a line that must succeed: what it printed."""
        status, said = self.run(command, limit_s)
        if status != 0:
            raise Failure(f"exit {status}: {command}: {said[-400:]}")
        return said

    def until(self, what, holds, limit_s, every_s=0.1):
        """Looks again and again until `holds`; how long that took."""
        since = time.monotonic()
        while not holds():
            if limit_s < time.monotonic() - since:
                raise Failure(f"waited {limit_s} s in vain for {what}")
            time.sleep(every_s)
        return time.monotonic() - since
