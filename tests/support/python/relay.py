"""A line between a client and a server on loopback, as slow and as unreliable as a test wants, that counts what passes.

Toward the host is upward. A round trip is a change of direction: something went up after something had come down.
What an ssh client sends to learn whether a silent host is still there is none: how many there are depends on how long the
host works, not on what was asked of it.
"""

import socket
import threading
import time


def shut(end: socket.socket, how: int) -> None:
    try:
        end.shutdown(how)
    except OSError:
        pass


class Relay:
    """Listens on a free port (`port`) and passes on to `target`, a host and port or the path of a unix socket. `rate` is in bytes a second each way, 0: unlimited;
    `round_trip` in seconds. One thread a direction; the counters are of all connections so far."""

    BLOCK = 4096
    KEEP_ALIVE = (4.5, 256)  # seconds of silence before it (veneer's ssh sends one after 5), and the most bytes

    def __init__(self, target: tuple[str, int] | str, rate: float = 0, round_trip: float = 0):
        self.target, self.rate, self.delay = target, rate, round_trip / 2
        self.up = self.down = self.round_trips = 0
        self.connections = 0
        self._cuts: list[int] = []  # counts of bytes upward at which the line is cut
        self._frozen = False
        self._last_up = False
        self._last_time = time.monotonic()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> None:
        with self._lock:
            self.up = self.down = self.round_trips = 0
            self._last_up = False

    def cut_at(self, *counts: int) -> None:
        """Cuts the connection when so many bytes went up since the last reset()."""
        with self._lock:
            self._cuts = sorted(counts)

    def freeze(self, frozen: bool = True) -> None:
        """Nothing passes any more, and nobody is told."""
        self._frozen = frozen

    def cut(self) -> None:
        with self._lock:
            open_now, self._open = self._open, set()
        for end in open_now:
            shut(end, socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = self._connect()
            except OSError:
                near.close()
                continue
            for end in (near, far):
                if end.family == socket.AF_INET:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self.rate:  # small buffers, as a slow line's: what was taken has nearly arrived
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            with self._lock:
                self.connections += 1
                self._open |= {near, far}
            done: list[socket.socket] = []
            threading.Thread(target=self._pass, args=(near, far, True, done), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, False, done), daemon=True).start()

    def _connect(self) -> socket.socket:
        if not isinstance(self.target, str):
            return socket.create_connection(self.target)
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.target)
        return far

    def _count(self, size: int, upward: bool) -> bool:
        """Whether the line is cut by this."""
        with self._lock:
            now = time.monotonic()
            silence, self._last_time = now - self._last_time, now
            if upward:
                self.up += size
                if not self._last_up and not (silence >= self.KEEP_ALIVE[0] and size <= self.KEEP_ALIVE[1]):
                    self.round_trips += 1
                self._last_up = True
                if self._cuts and self.up >= self._cuts[0]:
                    self._cuts.pop(0)
                    return True
            else:
                self.down += size
                self._last_up = False
        return False

    def _pass(self, source: socket.socket, sink: socket.socket, upward: bool, done: list) -> None:
        waiting: list[tuple[float, bytes]] = []
        wakes = threading.Condition()
        ended = False

        def send() -> None:
            free_at = 0.0
            while True:
                with wakes:
                    while not waiting and not ended:
                        wakes.wait()
                    if not waiting:
                        break
                    arrived, data = waiting[0]
                if self.rate:
                    free_at = max(free_at, arrived) + len(data) / self.rate
                    due = free_at + self.delay
                else:
                    due = arrived + self.delay
                time.sleep(max(0.0, due - time.monotonic()))
                while self._frozen:
                    time.sleep(0.05)
                try:
                    sink.sendall(data)
                except OSError:
                    break
                with wakes:
                    waiting.pop(0)
                    wakes.notify_all()
                if self._count(len(data), upward):
                    self.cut()
            shut(sink, socket.SHUT_WR)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        most = max(8, int(self.rate * (self.delay + 0.1) / self.BLOCK)) if self.rate else 256
        while True:
            try:
                data = source.recv(self.BLOCK)
            except OSError:
                data = b""
            with wakes:
                if not data:
                    ended = True
                    wakes.notify_all()
                    break
                while len(waiting) >= most and sender.is_alive():
                    wakes.wait(0.2)
                waiting.append((time.monotonic(), data))
                wakes.notify_all()
        sender.join()
        done.append(source)
        if len(done) == 2:  # both directions
            with self._lock:
                self._open -= set(done)
            for end in done:
                end.close()
