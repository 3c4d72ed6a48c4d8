"""One process that runs fake_docker.py for all tests of a run: a new Python for each of some hundred calls a second would be
most of what the tests take. `docker` is fake_client.c, which tells it its words; what it then forks takes over the client's
standard files and mounts, so that it is as if it were the program.
"""

import atexit
import ctypes
import gc
import json  # noqa: F401 - as re, for fake_docker.py: it finds them here
import os
import re  # noqa: F401
import select
import socket
import subprocess
import sys
from pathlib import Path

CLONE_NEWNS = 0x20000


def read_words(connection: socket.socket) -> tuple[str, int, list[str]]:
    text = b""
    while len(parts := text.split(b"\0")) < 4 or len(parts) < 4 + int(parts[2]):
        more = connection.recv(65536)
        if not more:
            os._exit(1)
        text += more
    return os.fsdecode(parts[0]), int(parts[1]), [os.fsdecode(word) for word in parts[3:-1]]


def take_place_of(process: int) -> None:
    """Its standard files are 4, 5 and 6 too. Opening what another has open waits for nobody: it may be a pipe whose other end is
    closed."""
    for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY | os.O_APPEND), (2, os.O_WRONLY | os.O_APPEND)):
        try:
            file = os.open(f"/proc/{process}/fd/{number + 4}", flags | os.O_NONBLOCK)
        except OSError:
            file = os.open("/dev/null", os.O_RDWR)
        os.set_blocking(file, True)
        os.dup2(file, number)
        os.close(file)
    space = f"/proc/{process}/ns/mnt"
    if os.readlink(space) != os.readlink("/proc/self/ns/mnt"):
        file = os.open(space, os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(file, CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(file)


def run(connection: socket.socket, program) -> None:
    folder, process, words = read_words(connection)
    take_place_of(process)
    code = 0
    try:
        exec(program, {"__name__": "__main__", "folder": folder, "words": words})
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    for file in (sys.stdout, sys.stderr):
        try:
            file.flush()
        except OSError:
            pass
    connection.sendall(f"{code}\n".encode())
    os._exit(0)


def serve() -> None:
    """Until standard input ends, as it does when the tests do."""
    program = compile((Path(__file__).parent / "fake_docker.py").read_text(), "fake_docker.py", "exec")
    for pattern in re.findall(r're\.sub\((r?".*?"|r?\'.*?\'),', (Path(__file__).parent / "fake_docker.py").read_text()):
        re.compile(eval(pattern))  # what is forked finds it compiled
    gc.disable()
    gc.freeze()
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    print(listener.getsockname()[1], flush=True)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            run(connection, program)
        connection.close()
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass  # all have ended


def start(client: Path) -> None:
    """Starts the process, and makes `docker` as the file `client`."""
    server = subprocess.Popen([sys.executable, "-ISB", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(lambda: (server.stdin.close(), server.wait(), server.stdout.close()))
    subprocess.run(["cc", "-O1", f"-DPORT={int(server.stdout.readline())}", "-o", client, Path(__file__).parent / "fake_client.c"], check=True)


if __name__ == "__main__":
    serve()
