"""`bin/brainops up`: everything from an empty folder to a finished sample run, then watch over it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from brainops.stack.announce import addresses, announcement
from brainops.stack.binaries import MissingServer
from brainops.stack.children import Child, StartError, wait_until
from brainops.stack.client import API, Away, Client, Refused
from brainops.stack.embedded import EmbeddedServers, describe_servers
from brainops.stack.furnishing import Furnishing
from brainops.stack.logs import Follower, cut_long_logs
from brainops.stack.phases import Phases, Stopped, is_paused
from brainops.stack.place import CHECKOUT, Place
from brainops.stack.ports import LOOPBACK
from brainops.stack.procfile import ProcfileError, read_procfile
from brainops.stack.product import STOP_ORDER, product_services
from brainops.stack.product_environment import Addresses, child_environment, product_settings, save_settings
from brainops.stack.report import Report
from brainops.stack.sample import Sample, run_sample
from brainops.stack.settled_ports import PortTaken, settle_ports
from brainops.stack.state import ProcessState, RunState, new_state
from brainops.stack.supervisor import GaveUp, Supervisor

SERVER_SECONDS = 60.0
WEB_SECONDS = 90.0
HOUSEKEEPING_SECONDS = 60.0
FAILURES = (StartError, MissingServer, PortTaken, ProcfileError, GaveUp, Refused, Away, OSError)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of `up`."""

    port: int | None = None
    workers: int = 1
    is_quiet: bool = False


@dataclass(slots=True)
class Launch:
    """One life of an installation, from its start to its ordered stop."""

    place: Place
    options: Options
    report: Report
    state: RunState = field(default_factory=new_state)
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(say=self.report.phase, changed=self._note_processes)

    def run(self, when_ready: Callable[[], None]) -> int:
        """Start, call `when_ready`, watch until a stop is asked for, stop; the exit code."""
        with self.supervisor.signals():
            try:
                self._start()
                when_ready()
                self._watch()
                self._stop("stopped")
            except Stopped as stopped:
                self._stop("stopped", str(stopped))
            except FAILURES as failure:
                self.report.line(f"\n{failure}\n")
                self._stop("failed", str(failure))
                return 1
            except BaseException:
                self._stop("failed", "An error in bin/brainops itself.")
                raise
        return 0

    def _start(self) -> None:
        self._save("starting")
        ports = settle_ports(self.place.ports, wanted_web_port=self.options.port)
        servers = describe_servers(self.place, ports, os.environ)
        self._start_servers(servers)
        address = f"http://{LOOPBACK}:{ports['web']}"
        where = Addresses(servers.database_url, servers.redis_url, address, ports["web"])
        settings = product_settings(self.place, where, os.environ)
        save_settings(self.place.environment, settings)
        self.state.addresses = addresses(address)
        self._start_product(child_environment(settings), address)

    def _start_servers(self, servers: EmbeddedServers) -> None:
        servers.create()
        children = [self.supervisor.start(service) for service in servers.services()]
        for child in children:
            self._wait(child, servers, SERVER_SECONDS)
        servers.create_database()
        names = [child.service.name for child in children]
        self.report.phase(f"Ready: {', '.join(names) or 'the servers named in the environment'}.")

    def _wait(self, child: Child, servers: EmbeddedServers, seconds: float) -> None:
        self._wait_until(lambda: servers.is_ready(child), child, seconds)

    def _start_product(self, environment: dict[str, str], address: str) -> None:
        lines = read_procfile(CHECKOUT / "Procfile")
        phases = Phases(self.place, environment, lambda: self.supervisor.is_stopping)
        phases.migrate(lines["release"])
        self.report.phase("The database is migrated.")
        services = product_services(lines, place=self.place, environment=environment, workers=self.options.workers)
        # These wait for the sample run: they take no part in it, and a start is a scramble for the processor.
        early = [service for service in services if service.name not in ("beat", "consumer")]
        children = {service.name: self.supervisor.start(service) for service in early}
        furnishing = Furnishing(self.place, phases, self.report)
        sample = furnishing.known() or furnishing.make()  # while the processes come up
        self._wait_until(Client(address).is_healthy, children["web"], WEB_SECONDS)
        self.report.phase(f"Answering: {', '.join(children)}.")
        if not furnishing.is_accepted(sample, address):
            sample = furnishing.make()
        if is_paused(environment["DATABASE_URL"]):
            self.report.phase("Workers are paused: runs wait for bin/brainops resume.")
        else:
            self._run_sample(sample, address)
        for service in services:
            if service.name not in children:
                self.supervisor.start(service)
        self._save("running")
        self.report.line(announcement(self.state.addresses, curl=sample.curl(address)))

    def _run_sample(self, sample: Sample, address: str) -> None:
        started = time.monotonic()
        run = run_sample(Client(address, sample.key), sample)
        seconds = round(time.monotonic() - started, 3)
        self.state.sample = {"workflow": sample.workflow, "run": run["id"], "seconds": seconds}
        self.report.phase(f"The sample run succeeded in {seconds:.2f} s: {address}{API}/runs/{run['id']}")

    def _wait_until(self, is_ready: Callable[[], bool], child: Child, seconds: float) -> None:
        def is_done() -> bool:
            if self.supervisor.is_stopping:
                raise Stopped(f"Stopped while waiting for {child.service.name}.")
            return is_ready()

        wait_until(is_done, child, seconds=seconds)

    def _watch(self) -> None:
        follower = Follower(self.place.logs, self.report.line)
        next_cut = time.monotonic()

        def each_round() -> None:
            nonlocal next_cut
            if not self.options.is_quiet:
                follower.show_new()
            if time.monotonic() >= next_cut:
                cut_long_logs(self.place.logs)
                next_cut = time.monotonic() + HOUSEKEEPING_SECONDS

        self.supervisor.watch(each_round)

    def _stop(self, end: str, reason: str = "") -> None:
        self._save("stopping")
        self.supervisor.stop_all(STOP_ORDER)
        self.state.reason = reason
        self._save(end)
        self.report.phase("All stopped." if end == "stopped" else "All stopped after a failure.")

    def _note_processes(self, processes: list[ProcessState]) -> None:
        self.state.processes = processes
        self._save(self.state.state)

    def _save(self, state: str) -> None:
        self.state.state = state
        self.state.save(self.place.state)
