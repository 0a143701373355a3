"""A program that tries what the sandbox must prevent, and prints whatever succeeded; then "works"."""

from __future__ import annotations

PROBE = """
import ctypes, os, socket, sys
def attempt(name, action):
    try:
        action()
    except (OSError, MemoryError):
        return
    print(name)
attempt("files", lambda: open(os.path.join(os.path.dirname(os.getcwd()), "selfsown-probe"), "w"))
attempt("files", lambda: os.listdir("/"))
attempt("files", lambda: open("/proc/self/status"))
attempt("files", lambda: os.chmod(os.getcwd(), 0o700))
attempt("network", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("network", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt("processes", os.fork)
attempt("processes", lambda: os.execv(sys.executable, [sys.executable, "-V"]))
attempt("signals", lambda: os.kill(os.getppid(), 0))
attempt("memory", lambda: bytearray(1 << 40))
if ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0:
    print("ptrace")
if os.environ:
    print("environment")
with open("own", "w") as file:
    file.write("works")
print(open("own").read())
"""
