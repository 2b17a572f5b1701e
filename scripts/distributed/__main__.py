"""`python -m scripts.distributed ENGINE`: one training by several processes, begun again when one of them dies.

Without `--process` all processes are started here, on the loopback address. On several machines start the same command
on each, with `--process` and the `--addresses` of all.
"""

import argparse
import importlib
import os
import pathlib
import socket
import subprocess
import sys
import time

ENGINES = {"jax": "jax_fit", "torch": "torch_loop", "tensorflow": "tensorflow_loop"}
_LOOK_AGAIN = 0.1  # seconds


def main(arguments=None):
    """Do what the command line says; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.distributed", description=__doc__.split("\n")[0])
    parser.add_argument("engine", choices=ENGINES, help="the backend of Keras, whose engine joins the processes")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="of backups and traces; all must see it")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--processes", type=int, default=2, help="how many are started here; default: 2")
    parser.add_argument("--restarts", type=int, default=3, help="how often all begin again; default: 3")
    parser.add_argument("--process", type=int, help="be this one, from 0, and start no other")
    parser.add_argument("--addresses", nargs="+", metavar="HOST:PORT", help="of all processes, with --process")
    parsed = parser.parse_args(arguments)
    parsed.folder.mkdir(parents=True, exist_ok=True)
    if parsed.process is None:
        return _start_all(parsed)
    engine = importlib.import_module(f"scripts.distributed.{ENGINES[parsed.engine]}")
    engine.train(parsed.process, parsed.addresses, parsed.folder, parsed.epochs)
    return 0


def _start_all(parsed):
    """Start all processes, and all again where one has died: the others would wait for it for ever."""
    for _ in range(parsed.restarts + 1):
        processes = _start(parsed)
        try:
            statuses = _wait(processes)
        finally:
            for each in processes:
                each.kill()
                each.wait()
        failed = {number: status for number, status in enumerate(statuses) if status}
        if not failed:
            return 0
        print(f"ended, by process: {failed}; all begin again from the last backup", file=sys.stderr, flush=True)
    print(f"error: given up after {parsed.restarts} restarts; the same command goes on", file=sys.stderr)
    return 1


def _wait(processes):
    """Wait until all have ended, or one has failed; give their exit statuses, None of those that go on."""
    while True:
        statuses = [each.poll() for each in processes]
        if None not in statuses or any(statuses):
            return statuses
        time.sleep(_LOOK_AGAIN)


def _start(parsed):
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(parsed.processes)]
    environment = os.environ | {"KERAS_BACKEND": parsed.engine, "GLOO_SOCKET_IFNAME": _loopback()}
    command = [sys.executable, "-m", "scripts.distributed", parsed.engine, "--folder", str(parsed.folder)]
    command += ["--epochs", str(parsed.epochs), "--addresses", *addresses, "--process"]
    return [subprocess.Popen([*command, str(number)], env=environment) for number in range(parsed.processes)]


def _free_ports(count):
    """So many ports that nobody listens on: bound all at once, or the system would give the same one again."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _loopback():
    """The name of the loopback interface, where it has one of the usual ones."""
    return next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), "lo")


if __name__ == "__main__":
    sys.exit(main())
