"""What the tests of `minisam.isolation.parent` run in a child."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time

from minisam.isolation.limits import within

FOREVER = "import time\nwhile True: time.sleep(1)"


def hold(path):
    """Lock a file; the lock is free again when every process that has it open has ended."""
    file = open(path, "w")  # noqa: SIM115 - open until the process ends
    fcntl.flock(file, fcntl.LOCK_EX)
    os.set_inheritable(file.fileno(), True)
    return file


def counts(most):
    yield from range(most)


def raises():
    yield 1
    raise KeyError("rho")


def leaves(code):
    yield 1
    within(60, lambda: os._exit(code))


def says_goodbye():
    yield from ()
    print("usage: homework")
    print("homework: error: no data", file=sys.stderr, flush=True)
    within(60, lambda: os._exit(2), "the import")


def is_killed(number):
    yield from ()
    within(60, lambda: os.kill(os.getpid(), number))
    within(60, lambda: time.sleep(60))


def never_ends(limit, path):
    lock = hold(path)
    yield "locked"

    def swallows():
        signal.setitimer(signal.ITIMER_REAL, 0)
        while True:
            with contextlib.suppress(BaseException):
                time.sleep(0.01)

    within(limit, swallows)
    lock.close()


def starts_others(path):
    lock = hold(path)
    subprocess.Popen([sys.executable, "-c", FOREVER], close_fds=False)
    lock.close()
    yield "started"


def hides(path, then="returns"):
    """Leave a process of another session, without parent, environment and pipes, with a lock."""
    lock = hold(path)
    if not os.fork():
        os.setsid()
        if not os.fork():
            for pipe in (1, 2):
                os.dup2(0, pipe)
            os.execve(sys.executable, [sys.executable, "-S", "-c", FOREVER], {})
        os._exit(0)
    os.wait()
    lock.close()
    yield "hidden"
    if then == "exits":
        os._exit(3)
    if then == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    while then == "stays":
        time.sleep(1)


def prints():
    print('["value", "a lie"]', flush=True)
    os.write(1, b'["value", "another"]\n')
    subprocess.run(["echo", '["end"]'], check=True)
    os.write(2, b"x" * 1_000_000)
    yield "the truth"


def asks():
    try:
        yield input("what is rho? ")
    except EOFError:
        yield "nobody answers"


def forks_and_goes_on():
    for number in range(3):
        if number == 1:
            within(60, os.fork)
        yield number


def forks_and_leaves():
    yield from ()
    if os.fork():
        within(1000, lambda: os._exit(0))
    time.sleep(1000)


def closes_everything():
    yield 1
    within(60, lambda: os.closerange(3, 256))
    yield 2


def imports(name):
    yield __import__(name).__name__ in sys.builtin_module_names or __import__(name).__file__


def arguments():
    yield sys.argv[1:]
