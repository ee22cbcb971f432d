#!/usr/bin/env python3
"""Times from a movement of the mouse to the picture that shows it, in the real window.

Starts an X server without a screen (Xvfb) and the window with a project, drags in the middle
of the view, and looks at the pixels there until they change: first with the window at rest,
then while a head is made. Needs Xvfb and the Python package python-xlib.

    python3 benches/input_to_frame.py target/debug/headsculpt PROJECT [--rounds 30]
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time

from Xlib import X, XK, display
from Xlib.ext import xtest

SCREEN = (1280, 800)
VIEW = (620, 430)
# Side of the square of pixels that is watched.
PATCH = 48
PATIENCE = 5.0


class Window:
    """The window, by its pixels and its input."""

    def __init__(self, name):
        self.display = display.Display(name)
        self.root = self.display.screen().root

    def pixels(self, centre=VIEW):
        x, y = (c - PATCH // 2 for c in centre)
        return self.root.get_image(x, y, PATCH, PATCH, X.ZPixmap, 0xFFFFFFFF).data

    def move(self, x, y):
        xtest.fake_input(self.display, X.MotionNotify, x=x, y=y)
        self.display.sync()

    def button(self, press):
        xtest.fake_input(self.display, X.ButtonPress if press else X.ButtonRelease, 1)
        self.display.sync()

    def keys(self, *names):
        codes = [self.display.keysym_to_keycode(XK.string_to_keysym(name)) for name in names]
        for kind, order in ((X.KeyPress, codes), (X.KeyRelease, codes[::-1])):
            for code in order:
                xtest.fake_input(self.display, kind, code)
        self.display.sync()

    def settle(self):
        """Waits until the view has not changed for half a second."""
        last, since = self.pixels(), time.monotonic()
        while time.monotonic() - since < 0.5:
            time.sleep(0.02)
            now = self.pixels()
            if now != last:
                last, since = now, time.monotonic()


def latencies(window, rounds, between):
    """Seconds from each movement of a drag to the first changed pixel."""
    found, missed = [], 0
    window.move(*VIEW)
    window.button(True)
    # A drag begins with its first few points.
    for k in range(1, 4):
        window.move(VIEW[0] + 8 * k, VIEW[1])
        time.sleep(0.2)
    for k in range(rounds):
        time.sleep(between)
        before = window.pixels()
        started = time.monotonic()
        window.move(VIEW[0] + 24 + (40 if k % 2 else -40), VIEW[1])
        while window.pixels() == before:
            if time.monotonic() - started > PATIENCE:
                missed += 1
                break
        else:
            found.append(time.monotonic() - started)
    window.button(False)
    return found, missed


def report(name, found, missed):
    ms = sorted(1000 * seconds for seconds in found)
    at = lambda share: ms[min(len(ms) - 1, int(share * len(ms)))]
    print(f"{name}: median {statistics.median(ms):.0f} ms, 90 % within {at(0.9):.0f} ms, "
          f"at most {ms[-1]:.0f} ms, of {len(ms)}; {missed} without a change")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("project")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--display", default=":78")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(
            ["Xvfb", asked.display, "-screen", "0", "{}x{}x24".format(*SCREEN)],
            stderr=subprocess.DEVNULL)
        time.sleep(1)
        env = {**os.environ, "DISPLAY": asked.display, "HOME": home, "XDG_DATA_HOME": home}
        app = subprocess.Popen(
            [asked.program, "gui", asked.project, "--projects", home], env=env,
            stderr=subprocess.DEVNULL)
        try:
            time.sleep(10)
            window = Window(asked.display)
            window.settle()
            report("at rest", *latencies(window, asked.rounds, 0.2))
            # The open head's prompt again, with the preset that is chosen.
            window.keys("Control_L", "Return")
            print("waiting for the first surface of the new head")
            flat = window.pixels()
            started = time.monotonic()
            while len(set(window.pixels())) < 16 or window.pixels() == flat:
                if time.monotonic() - started > 300:
                    raise SystemExit("no surface is shown")
                time.sleep(0.5)
            time.sleep(5)
            report("while a head is made", *latencies(window, asked.rounds, 0.35))
        finally:
            app.kill()
            server.kill()


if __name__ == "__main__":
    main()
