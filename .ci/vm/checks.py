"""The numbered checks of ./kiosk boot. Each takes the Kiosk and returns what it measured; it raises if it does not hold, or
cannot run. They run in the order of this file, on one machine; what one changes it puts back."""
import json, time

from machine import Failure

HUE = 0xFFB000  # of the first computer, at the left end of the strip on every page
GROUND = 0x0B1118
CHECKS = []
UNIT = "hpc-kiosk.service"
# Waits for a boot have an end, but emulated beside other work a boot takes minutes.
LIMIT_DEATH_S, LIMIT_FREEZE_S, LIMIT_BOOT_S = 5, 12, 600


def check(title):
    def listed(function):
        CHECKS.append((title, function))
        return function
    return listed


def holds(truth, otherwise):
    if not truth:
        raise Failure(otherwise)


class Kiosk:
    """The kiosk in its machine, as a visitor and as an owner meet it."""

    def __init__(self, machine):
        self.machine, self.home_page = machine, None

    def is_up(self):
        return self.machine.picture().pixel(6, 402) == HUE

    def page(self):
        return self.machine.picture().page()

    def property(self, name):
        return self.machine.ask(f"systemctl show --value --property={name} {UNIT}")

    def pid(self):
        return int(self.property("MainPID"))

    def restarts(self):
        return int(self.property("NRestarts"))

    def settle(self, limit_s=30):
        """Returns when nothing above the strip has moved for half a second."""
        end, last, since = time.monotonic() + limit_s, self.page(), time.monotonic()
        while time.monotonic() < end:
            now = self.page()
            if now != last:
                last, since = now, time.monotonic()
            elif 0.5 < time.monotonic() - since:
                return now
            time.sleep(0.1)
        raise Failure(f"the picture still moves after {limit_s} s")

    def ready(self, limit_s=LIMIT_BOOT_S):
        """Returns when it is up, shows its home page, and hears keys and fingers."""
        self.machine.until("the kiosk's picture", self.is_up, limit_s)
        self.machine.wait_shell()
        self.machine.ask("udevadm settle --timeout=60", 90)
        self.machine.until("systemd to know it", lambda: self.property("ActiveState") == "active", 30)
        self.home_page = self.settle()

    def restart(self):
        self.machine.ask(f"systemctl restart {UNIT}")
        self.ready()

    def touchable(self):
        """A touch panel and a presenter are plugged in."""
        self.machine.ask("modprobe uinput; mkdir -p /mnt/p; mountpoint -q /mnt/p || mount -o ro /dev/vdb /mnt/p")
        self.machine.ask("pgrep -f guest/touch.py >/dev/null || systemd-run --quiet --unit=touch python3 /mnt/p/guest/touch.py")
        self.machine.until("the touch panel", lambda: self.machine.run("test -p /run/touch && udevadm settle")[0] == 0, 60)

    def tap(self, x, y):
        self.machine.ask(f"echo {x} {y} >/run/touch", 10)

    def changes(self, what, before, limit_s=20):
        return self.machine.until(what, lambda: self.page() != before, limit_s)

    def back_home(self):
        """After whatever a check has left on the screen."""
        if self.is_up() and self.page() == self.home_page:
            return
        self.restart()

    def gap(self, what, limit_s, act):
        """Does `act`, and waits until the picture has gone and is back: how long that took from the act."""
        before = self.pid()
        since = time.monotonic()
        act()
        # Waited for longer than it may take, so that a failure says how long it took.
        gone_after = self.machine.until(f"the picture to go ({what})", lambda: not self.is_up(), 4 * limit_s)
        self.machine.until(f"the picture to be back ({what})", self.is_up, 4 * limit_s)
        took = time.monotonic() - since
        holds(self.pid() != before, "it is the same process as before")
        holds(took <= limit_s, f"back after {took:.1f} s; at most {limit_s} s")
        self.ready()
        return f"gone after {gone_after:.1f} s, back after {took:.1f} s; at most {limit_s} s"

    def run_is_there(self):
        status, said = self.machine.run("pgrep -x advection")
        return said.split() if status == 0 else []

    def start_run(self):
        """The key of the first tile starts a run; returns when its picture moves."""
        self.machine.keys("1")
        waiting = self.machine.until("two ranks", lambda: len(self.run_is_there()) == 2, 90)
        # The strip marks the ranks of a run once it has pictures.
        first = self.machine.until("its first picture", lambda: self.machine.picture().pixel(210, 440) == HUE, 90)
        before = self.page()
        self.changes("a picture that moves", before, 60)
        return waiting, waiting + first

    def stop_run(self):
        self.machine.keys("esc")
        return self.machine.until("the end of every rank", lambda: not self.run_is_there(), 30)


@check("the package is installed, and its picture is on the screen")
def install(kiosk):
    machine = kiosk.machine
    machine.ask("mkdir -p /mnt/p && mount -o ro /dev/vdb /mnt/p")
    machine.ask("getent passwd >/root/users; getent group >/root/groups")
    since = time.monotonic()
    said = machine.ask("DEBIAN_FRONTEND=noninteractive dpkg --install /mnt/p/first/hpc-kiosk_*.deb", 300)
    installed = time.monotonic() - since
    holds("warning" not in said.lower(), said)
    machine.until("the kiosk's picture", kiosk.is_up, LIMIT_BOOT_S)
    took = time.monotonic() - since
    # Emulation is no Pi: a run may take its time to start.
    machine.ask("cp -r /usr/lib/hpc-kiosk/demos/advection /etc/hpc-kiosk/demos/ && sed -i -e 's/^first_frame_s.*/first_frame_s = 90/' "
                "-e '/^progress_s/d' -e '/^first_frame_s/a progress_s = 60' /etc/hpc-kiosk/demos/advection/demo.toml")
    return f"installed in {installed:.1f} s, picture after {took:.1f} s"


@check("from power-on to the picture, without network, keyboard layout or anybody's help")
def boot(kiosk):
    kiosk.machine.ask("sync")
    kiosk.machine.power_cycle()
    return first_picture(kiosk)


def first_picture(kiosk):
    machine = kiosk.machine
    machine.until("the old picture to go", lambda: not kiosk.is_up(), 30)
    machine.until("the kiosk's picture", kiosk.is_up, LIMIT_BOOT_S, 0.3)
    seen = time.monotonic()
    machine.wait_shell()
    uptime = float(machine.ask("cut -d' ' -f1 /proc/uptime"))
    kernel = time.monotonic() - uptime
    kiosk.ready()
    kiosk.touchable()
    return f"{seen - machine.started:.1f} s from power-on, {seen - kernel:.1f} s from the start of the kernel"


@check("systemd-analyze security of the installed unit: at most 3.0")
def exposure(kiosk):
    said = kiosk.machine.ask(f"systemd-analyze security --no-pager --threshold=30 {UNIT}")
    return said.splitlines()[-1].strip("→ ")


@check("it runs as its own user, with no capability, on the console in front")
def identity(kiosk):
    said = kiosk.machine.ask(f"grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/{kiosk.pid()}/status; fgconsole")
    words = {line.split(":")[0]: line.split(":")[1].split() for line in said.splitlines() if ":" in line}
    holds(words["Uid"][0] != "0", said)
    holds(int(words["CapEff"][0], 16) == 0 and int(words["CapBnd"][0], 16) == 0, said)
    holds(words["NoNewPrivs"] == ["1"] and words["Seccomp"] == ["2"], said)
    holds(said.splitlines()[-1] == "1", said)
    # For the thread of a room sensor; what its runs may not is the matter of another check.
    limits = kiosk.machine.ask(f"grep realtime /proc/{kiosk.pid()}/limits")
    holds(limits.split()[3:5] == ["20", "20"], limits)
    return f"uid {words['Uid'][0]}, capabilities 0, no new privileges, system calls filtered, real time up to 20, console 1"


@check("a real run of two ranks inside the unit, its picture moves")
def two_ranks(kiosk):
    waiting, first = kiosk.start_run()
    ranks = kiosk.run_is_there()
    groups = kiosk.machine.ask(f"cat /proc/{ranks[0]}/cgroup /proc/{ranks[1]}/cgroup")
    holds(groups.count(UNIT) == 2, groups)
    ended = kiosk.stop_run()
    return f"two ranks after {waiting:.1f} s, picture after {first:.1f} s, ended {ended:.1f} s after Esc"


@check("a finger: a tap on a tile starts its demo, a tap on the arrow ends it")
def finger(kiosk):
    machine = kiosk.machine
    kiosk.tap(200, 200)
    machine.until("a run", kiosk.run_is_there, 60)
    kiosk.tap(44, 44)
    ended = machine.until("its end", lambda: not kiosk.run_is_there(), 30)
    return f"ended after {ended:.1f} s"


@check("a Python child that compiles itself, and an ssh child, inside the unit; and what a child may not")
def children(kiosk):
    machine, demo = kiosk.machine, "/etc/hpc-kiosk/demos/probe"
    machine.ask("install -d -o hpc-kiosk -g hpc-kiosk -m 700 /var/lib/hpc-kiosk/.ssh && "
                "runuser -u hpc-kiosk -- ssh-keygen -q -t ed25519 -N '' -f /var/lib/hpc-kiosk/.ssh/id_ed25519 && "
                "install -d -o neighbour -m 700 ~neighbour/.ssh && "
                "install -o neighbour -m 600 /var/lib/hpc-kiosk/.ssh/id_ed25519.pub ~neighbour/.ssh/authorized_keys && "
                "systemctl start ssh", 120)
    toml = ("order = -100\\naudience = \"visitor\"\\nprogram = \"probe.py\"\\nmpi = false\\ngpu = \"no\"\\nfirst_frame_s = 90\\n"
            "[text.en]\\ntitle = \"Probe\"\\nline = \"Probe\"\\n")
    machine.ask(f"mkdir -p {demo} && install -m 755 /mnt/p/guest/probe.py {demo}/ && printf '{toml}' >{demo}/demo.toml")
    try:
        kiosk.restart()
        machine.keys("1")
        machine.until("the answers", lambda: machine.run("test -e /var/lib/hpc-kiosk/probe.json")[0] == 0, 90)
        said = machine.ask("cat /var/lib/hpc-kiosk/probe.json")
    finally:
        machine.ask(f"rm -rf {demo} /var/lib/hpc-kiosk/probe.json")
        kiosk.restart()
    answers = json.loads(said)
    holds(answers["compiled"] == 42 and answers["neighbour"] == "neighbour", said)
    free = [name for name, answer in answers.items() if answer == "allowed"]
    holds(not free and answers["user"] != 0, said)
    return said


@check("killed: the picture is back")
def killed(kiosk):
    return kiosk.gap("kill -9", LIMIT_DEATH_S, lambda: kiosk.machine.ask(f"kill -9 {kiosk.pid()}"))


@check("killed while a run is on: the picture is back, nothing of the run is left")
def killed_in_a_run(kiosk):
    kiosk.start_run()
    said = kiosk.gap("kill -9", LIMIT_DEATH_S, lambda: kiosk.machine.ask(f"kill -9 {kiosk.pid()}"))
    left = kiosk.machine.until("the end of every rank", lambda: not kiosk.run_is_there(), 10)
    return f"{said}; ranks gone {left:.1f} s later"


@check("frozen as a whole: the picture is back")
def frozen(kiosk):
    return kiosk.gap("kill -STOP", LIMIT_FREEZE_S, lambda: kiosk.machine.ask(f"kill -STOP {kiosk.pid()}"))


def hang(kiosk, thread):
    kiosk.machine.ask(f"systemd-run --quiet --collect --unit=hang python3 /mnt/p/guest/hang.py {thread}")


@check("the thread that draws hangs: the picture is back")
def hung_drawing(kiosk):
    return kiosk.gap("UI thread hung", LIMIT_FREEZE_S, lambda: hang(kiosk, kiosk.pid()))


@check("the thread that does everything else hangs: the picture is back")
def hung_worker(kiosk):
    thread = kiosk.machine.ask(f"grep -lx worker /proc/{kiosk.pid()}/task/*/comm | cut -d/ -f5")
    return kiosk.gap("worker hung", LIMIT_FREEZE_S, lambda: hang(kiosk, thread))


@check("a clicker's keys: next, start and stop on one button, black and light again")
def clicker(kiosk):
    machine, home = kiosk.machine, kiosk.home_page
    machine.keys("pgdn")
    kiosk.changes("a selected tile", home)
    machine.keys("f5")
    machine.until("a run", lambda: len(kiosk.run_is_there()) == 2, 90)
    machine.keys("dot")
    machine.until("a black screen", lambda: machine.picture().pixel(6, 402) == GROUND, 20)
    holds(len(kiosk.run_is_there()) == 2, "the run has ended in the dark")
    machine.keys("dot")
    machine.until("light", kiosk.is_up, 20)
    machine.keys("esc")
    machine.until("the end of the run", lambda: not kiosk.run_is_there(), 30)
    return "next, F5, black, light, Esc"


@check("the keys of a presenter R400 have their names again")
def presenter(kiosk):
    # In the file a scan code has a zero in front; udev takes its number.
    said = kiosk.machine.ask("for e in /sys/class/input/event*; do udevadm info --query=property --path=$e; done | grep KEYBOARD_KEY | sort")
    keys = dict(line.split("=") for line in said.splitlines())
    keys = {name.removeprefix("KEYBOARD_KEY_").lstrip("0").lower(): key for name, key in keys.items()}
    holds(keys.get("70029") == "esc" and keys.get("7003e") == "f5" and keys.get("70037") == "dot", said)
    return said.replace("\n", " ")


@check("no way out: console switching, Ctrl+Alt+Del and Backspace, SysRq, Alt+F4, Ctrl+C, Ctrl+Alt+Esc")
def ways_out(kiosk):
    machine = kiosk.machine
    before, boot_id = (kiosk.pid(), kiosk.restarts()), machine.ask("cat /proc/sys/kernel/random/boot_id")
    tried = [("ctrl", "alt", f"f{n}") for n in range(1, 13)] + [("alt", f"f{n}") for n in (2, 3, 4)]
    tried += [("alt", "right"), ("ctrl", "alt", "delete"), ("ctrl", "alt", "backspace"), ("ctrl", "alt", "esc"), ("ctrl", "c"),
              ("ctrl", "backslash"), ("ctrl", "z"), ("ctrl", "d"), ("meta_l",), ("meta_l", "l"), ("print",)]
    tried += [("alt", "sysrq", letter) for letter in "rkeisubofc"]
    for chord in tried:
        machine.keys(*chord)
        # Each is looked at by itself: what leaves the kiosk and comes back must not pass for nothing.
        time.sleep(0.15)
        holds(kiosk.is_up() or machine.picture().pixel(6, 402) == GROUND, f"{'+'.join(chord)} takes the picture away")
    machine.ask("true")
    holds(machine.ask("cat /proc/sys/kernel/random/boot_id") == boot_id, "the machine was started again")
    holds((kiosk.pid(), kiosk.restarts()) == before, "the kiosk was started again")
    holds(machine.ask("fgconsole") == "1", "another console is in front")
    return f"{len(tried)} chords; same process, same boot, console 1"


@check("what is typed stands on no console")
def typed(kiosk):
    machine = kiosk.machine
    for letter in "rootx":
        machine.keys(letter)
    time.sleep(0.5)
    said = machine.ask("tr -d '\\0 \\n' </dev/vcs1 | cut -c1-200")
    holds("rootx" not in said, f"console 1 says: {said}")
    return "nothing of it"


@check("switched to another console by force: not while it is up; and in the moment of its restart not for long")
def forced_away(kiosk):
    machine = kiosk.machine
    machine.run("timeout 2 chvt 3")
    holds(machine.ask("fgconsole") == "1", "root can switch away from the picture")
    said = kiosk.gap("kill -9 and chvt", LIMIT_DEATH_S, lambda: machine.ask(f"kill -9 {kiosk.pid()}; timeout 1 chvt 3; true"))
    holds(machine.ask("fgconsole") == "1", "another console is in front")
    return said


@check("the keyboard is unplugged and plugged in again; and a kiosk starts without one")
def keyboard(kiosk):
    machine, before = kiosk.machine, kiosk.pid()
    machine.qmp("device_del", id="keyboard")
    machine.until("the keyboard to be gone", lambda: machine.run("lsusb 2>/dev/null; grep -q 'QEMU USB Keyboard' /proc/bus/input/devices")[0] != 0, 30)
    holds(kiosk.is_up() and kiosk.pid() == before, "it did not survive")
    kiosk.restart()
    before = kiosk.pid()
    machine.qmp("device_add", driver="usb-kbd", id="keyboard", bus="usb.0")
    machine.until("the keyboard", lambda: machine.run("grep -q 'QEMU USB Keyboard' /proc/bus/input/devices && udevadm settle")[0] == 0, 30)
    page = kiosk.page()
    machine.until("a key that does something", lambda: machine.keys("pgdn") or kiosk.page() != page, 20)
    holds(kiosk.pid() == before, "it was started again")
    return "same process, keys are heard again"


def connector(kiosk, state):
    kiosk.machine.ask(f"echo {state} >/sys/class/drm/card0-Virtual-1/status")


@check("the screen goes and comes back: the picture too, fingers mean nothing in between")
def screen_off_and_on(kiosk):
    machine, before = kiosk.machine, kiosk.pid()
    try:
        connector(kiosk, "off")
        time.sleep(1)
        kiosk.tap(200, 200)
        time.sleep(2)
        holds(not kiosk.run_is_there(), "a tap on a screen that is off has started a run")
        holds(kiosk.pid() == before, "it did not survive")
    finally:
        connector(kiosk, "detect")
    took = machine.until("the picture", kiosk.is_up, 20)
    time.sleep(1)
    kiosk.tap(200, 200)
    machine.until("a run", kiosk.run_is_there, 60)
    kiosk.stop_run()
    return f"picture after {took:.1f} s, same process"


@check("started while the screen is off: waits, and is there when the screen is")
def screen_off_at_start(kiosk):
    machine = kiosk.machine
    try:
        connector(kiosk, "off")
        machine.ask(f"systemctl restart {UNIT}")
        machine.until("it to wait", lambda: kiosk.property("StatusText") == "waiting for a screen", 30)
        before, restarts = kiosk.pid(), kiosk.restarts()
        time.sleep(12)
        holds((kiosk.pid(), kiosk.restarts()) == (before, restarts), "it was started again instead of waiting")
    finally:
        connector(kiosk, "detect")
    took = machine.until("the picture", kiosk.is_up, 20)
    holds(kiosk.pid() == before, "it was started again")
    return f"picture {took:.1f} s after the screen was there"


def with_settings(kiosk, text):
    kiosk.machine.ask(f"printf '{text}' >/etc/hpc-kiosk/kiosk.toml")


@check("a kiosk.toml that cannot be read: said on the screen, demos run")
def bad_settings(kiosk):
    machine, good = kiosk.machine, kiosk.home_page
    machine.ask("cp /etc/hpc-kiosk/kiosk.toml /run/kiosk.toml")
    try:
        with_settings(kiosk, "[launch]\\nlauncher = \\\"ssh\\\"\\n")
        kiosk.restart()
        holds(kiosk.home_page != good, "the home page is the same as with good settings")
        kiosk.start_run()
        kiosk.stop_run()
        journal = machine.ask(f"journalctl --unit={UNIT} --boot --output=cat | grep kiosk.toml | tail -1")
    finally:
        machine.ask("cp /run/kiosk.toml /etc/hpc-kiosk/kiosk.toml")
        kiosk.restart()
    holds("line 2" in journal and "launcher" in journal and "address" in journal, journal)
    return journal


@check("a full disk: starts, runs")
def full_disk(kiosk):
    machine = kiosk.machine
    machine.run("fallocate --length 100G /fill; dd if=/dev/zero of=/fill bs=1M; dd if=/dev/zero of=/fill2 bs=1k", 300)
    try:
        free = int(machine.ask("df --output=avail --block-size=1K / | tail -1"))
        holds(free < 64, f"{free} kB are still free")
        kiosk.restart()
        kiosk.start_run()
        kiosk.stop_run()
    finally:
        machine.ask("rm -f /fill /fill2")
    return f"{free} kB free"


@check("a disk that is read only: starts, runs")
def read_only_disk(kiosk):
    machine = kiosk.machine
    # What is open for writing keeps it from being mounted anew; the kernel itself does not ask.
    machine.ask("sync; mount -o remount,ro / 2>/dev/null || echo u >/proc/sysrq-trigger")
    machine.ask("for _ in 1 2 3 4 5 6 7 8 9 10; do touch /probe 2>/dev/null || break; sleep 1; done")
    try:
        holds(machine.run("touch /probe")[0] != 0, "the disk is not read only")
        kiosk.restart()
        kiosk.start_run()
        kiosk.stop_run()
    finally:
        machine.ask("mount -o remount,rw /")
    # What systemd could not clear away on such a disk goes at the next boot (tmpfiles.d/systemd-tmp.conf); here, now.
    machine.ask(f"systemctl stop {UNIT}; rm -rf /var/tmp/systemd-private-*-{UNIT}-*")
    kiosk.restart()
    return "picture and run"


@check("a clock of 1999 and one of 2099: starts, runs")
def wrong_clock(kiosk):
    machine = kiosk.machine
    try:
        for year in (1999, 2099):
            machine.ask(f"date --set={year}-01-01")
            kiosk.restart()
            kiosk.start_run()
            kiosk.stop_run()
    finally:
        machine.ask("hwclock --hctosys || date --set=2026-01-01")
    return "picture and run in both"


@check("under 1 MB a day is written by the idle kiosk")
def written(kiosk):
    machine, seconds = kiosk.machine, 60
    machine.ask(f"systemctl set-property --runtime {UNIT} IOAccounting=yes && sync")
    file = f"/sys/fs/cgroup/system.slice/{UNIT}/io.stat"
    # A unit that has written nothing has an empty file; one without the file cannot be judged.
    count = (f"test -r {file} && {{ grep -o 'wbytes=[0-9]*' {file} || true; }} | awk -F= '{{ n += $2 }} END {{ print n + 0 }}' && "
             f"journalctl --unit={UNIT} --boot --output=export | wc -c")
    before = machine.ask(count).splitlines()
    time.sleep(seconds)
    machine.ask("sync")
    after = machine.ask(count).splitlines()
    own, journal = (int(two) - int(one) for one, two in zip(before, after))
    a_day = (own + journal) * 86400 / seconds
    holds(a_day < 1e6, f"{own} bytes and {journal} of the journal in {seconds} s")
    return f"{own} bytes and {journal} of the journal in {seconds} s"


@check("upgraded: the owner's settings are kept, the picture is back")
def upgraded(kiosk):
    machine = kiosk.machine
    machine.ask("sed -i 's/^language = .*/language = \"en\"/' /etc/hpc-kiosk/kiosk.toml && sha256sum /etc/hpc-kiosk/kiosk.toml >/run/sum")
    before = kiosk.pid()
    said = machine.ask("DEBIAN_FRONTEND=noninteractive dpkg --install /mnt/p/second/hpc-kiosk_*.deb", 300)
    machine.ask("sha256sum --check --quiet /run/sum")
    machine.until("a new process", lambda: kiosk.pid() not in (0, before), 30)
    kiosk.ready()
    return machine.ask("dpkg-query --show hpc-kiosk").replace("\t", " ")


@check("removed: nothing but the settings is left; purged: nothing at all")
def removed(kiosk):
    machine = kiosk.machine
    machine.ask("DEBIAN_FRONTEND=noninteractive dpkg --remove hpc-kiosk", 120)
    left = "find / -xdev \\( -path /proc -o -path /run -o -path /tmp -o -path /var/log -o -path /mnt \\) -prune -o -name '*hpc-kiosk*' -print | grep -v /var/lib/dpkg"
    removed = machine.run(left)[1].splitlines()
    allowed = ("/etc/hpc-kiosk", "/etc/default/hpc-kiosk", "/var/lib/hpc-kiosk", "/var/lib/systemd", "/etc/systemd/system/")
    other = [name for name in removed if not name.startswith(allowed)]
    holds(not other, f"after remove: {other}")
    machine.until("the picture to go", lambda: not kiosk.is_up(), 20)
    machine.ask("DEBIAN_FRONTEND=noninteractive dpkg --purge hpc-kiosk", 120)
    holds(not machine.run(left)[1], f"after purge: {machine.run(left)[1]}")
    users = machine.run("getent passwd | diff /root/users - ; getent group | diff /root/groups -")[1]
    holds(not users, f"users and groups: {users}")
    machine.ask(f"! systemctl cat {UNIT} 2>/dev/null")
    return f"after remove: {', '.join(removed)}; after purge: no file, user, group or unit"


@check("the package of a compute node is installed, its agent answers, and it goes without a trace")
def node(kiosk):
    machine = kiosk.machine
    machine.ask("DEBIAN_FRONTEND=noninteractive dpkg --install /mnt/p/first/hpc-kiosk-node_*.deb", 300)
    ask = "python3 -c \"import urllib.request as u; print(u.urlopen('http://127.0.0.1:9101/metrics', timeout=5).read().decode())\""
    machine.until("the agent", lambda: machine.run(ask)[0] == 0, 30)
    lines = len(machine.ask(ask).splitlines())
    said = machine.ask("systemd-analyze security --no-pager --threshold=15 hpc-kiosk-agent.service").splitlines()[-1].strip("→ ")
    machine.ask("DEBIAN_FRONTEND=noninteractive dpkg --purge hpc-kiosk-node", 120)
    left = "find / -xdev \\( -path /proc -o -path /run -o -path /tmp -o -path /var/log -o -path /mnt \\) -prune -o -name '*hpc-kiosk*' -print | grep -v /var/lib/dpkg"
    holds(not machine.run(left)[1], f"after purge: {machine.run(left)[1]}")
    return f"{lines} lines; {said}"
