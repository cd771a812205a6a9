"""`up`, `status`, `manage` and `down` from end to end, with a toy in the product's place."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brainops.stack.place import Place
from brainops.stack.ports import free_port
from brainops.stack.processes import identity

HERE = Path(__file__).parent
pytestmark = pytest.mark.processes


class Toy:
    """A checkout with the real launcher and the toy product."""

    def __init__(self, checkout, data):
        self.checkout = checkout
        self.place = Place(data)
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        self.environment = {**kept, "BRAINOPS_DATA": str(data)}

    def command(self, *arguments):
        return [sys.executable, "-m", "brainops.stack", *arguments]

    def run(self, *arguments, **more):
        environment = {**self.environment, **more}
        return subprocess.run(
            self.command(*arguments), cwd=self.checkout, env=environment, capture_output=True, text=True, check=False
        )

    def status(self):
        return json.loads(self.run("status", "--json").stdout)

    def journal(self):
        return (self.place.data / "journal").read_text(encoding="utf-8").split()


@pytest.fixture
def toy(tmp_path):
    checkout = tmp_path / "checkout"
    shutil.copytree(HERE / "toy", checkout)
    shutil.copytree(HERE.parent, checkout / "brainops/stack", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    toy = Toy(checkout, tmp_path / "data")
    yield toy
    toy.run("down")


def test_up_ends_with_a_finished_sample_run_and_down_leaves_nothing(toy):
    port = free_port()

    up = toy.run("up", "--detach", "--port", str(port))

    assert up.returncode == 0, up.stdout + up.stderr
    assert "password: pa55" in up.stdout
    assert f"curl -sX POST 'http://127.0.0.1:{port}/api/v1/automation/workflows/" in up.stdout
    status = toy.status()
    assert status["state"] == "running"
    assert status["addresses"]["admin"] == f"http://127.0.0.1:{port}/admin/"
    assert [(process["name"], process["state"]) for process in status["processes"]] == [
        (name, "running") for name in ("postgres", "valkey", "web", "worker", "beat", "consumer")
    ]
    assert toy.journal() == ["migrate", "create_admin", "load_samples", "create_api_key"]

    assert toy.run("down").stdout == "Stopped.\n"

    assert [identity(process["pid"]) for process in status["processes"]] == [""] * 6
    assert toy.run("status").returncode == 3


def test_a_second_start_makes_nothing_anew(toy):
    assert toy.run("up", "--detach", "--port", str(free_port())).returncode == 0
    toy.run("down")
    (toy.place.data / "journal").unlink()

    up = toy.run("up", "--detach")

    assert up.returncode == 0, up.stdout
    assert "shown this once" not in up.stdout
    assert toy.journal() == ["migrate"]


def test_what_was_accepted_survives_the_death_of_everything(toy):
    assert toy.run("up", "--detach", "--port", str(free_port())).returncode == 0
    status = toy.status()
    everything = [status["pid"], *[process["pid"] for process in status["processes"]]]

    for pid in everything:
        os.kill(pid, signal.SIGKILL)
    up = toy.run("up", "--detach")

    assert up.returncode == 0, up.stdout
    assert toy.run("manage", "count_runs").stdout == "2\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_supervisor_takes_its_processes_with_it(toy):
    assert toy.run("up", "--detach", "--port", str(free_port())).returncode == 0
    status = toy.status()

    os.kill(status["pid"], signal.SIGKILL)

    deadline = time.monotonic() + 20
    while any(identity(process["pid"]) for process in status["processes"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert toy.status()["state"] == "stopped"


def test_a_process_that_is_killed_comes_back(toy):
    assert toy.run("up", "--detach", "--port", str(free_port())).returncode == 0
    before = {process["name"]: process for process in toy.status()["processes"]}

    os.kill(before["web"]["pid"], signal.SIGKILL)
    os.kill(before["postgres"]["pid"], signal.SIGKILL)

    deadline = time.monotonic() + 20
    while True:
        after = {process["name"]: process for process in toy.status()["processes"]}
        if all((after[name]["state"], after[name]["restarts"]) == ("running", 1) for name in ("web", "postgres")):
            break
        assert time.monotonic() < deadline, after
        time.sleep(0.1)
    assert after["worker"] == before["worker"]


def test_ctrl_c_stops_in_order_and_says_so(toy):
    command = toy.command("up", "--port", str(free_port()))
    with subprocess.Popen(command, cwd=toy.checkout, env=toy.environment, stdout=subprocess.PIPE, text=True) as up:
        seen = []
        for line in up.stdout:
            seen.append(line)
            if "curl -sX" in line:
                up.send_signal(signal.SIGINT)
        up.wait()

    assert up.returncode == 0
    ends = [line.split("s] ")[1].strip() for line in seen if " stopped" in line]
    assert [line.split(" (")[0].removesuffix(".") for line in ends] == [
        "beat stopped",
        "consumer stopped",
        "web stopped",
        "worker stopped",
        "valkey stopped",
        "postgres stopped",
        "All stopped",
    ]


def test_ctrl_c_during_the_start_stops_what_has_started(toy):
    (toy.checkout / "Procfile").write_text("release: sleep 60\nweb: sleep 60\n", encoding="utf-8")
    command = toy.command("up", "--port", str(free_port()))
    with subprocess.Popen(command, cwd=toy.checkout, env=toy.environment, stdout=subprocess.PIPE, text=True) as up:
        while "Ready: postgres, valkey." not in up.stdout.readline():
            pass
        up.send_signal(signal.SIGINT)
        rest = up.stdout.read()

    assert up.returncode == 0
    assert "All stopped." in rest


def test_a_sample_run_that_fails_fails_the_start(toy):
    up = toy.run("up", "--detach", "--port", str(free_port()), TOY_STATUS="failed")

    assert up.returncode == 1
    assert "The sample run r ended as 'failed': no reason" in up.stdout
    assert "All stopped after a failure." in up.stdout
    assert toy.status()["state"] == "failed"


def test_a_command_that_fails_shows_its_words(toy):
    (toy.checkout / "Procfile").write_text("release: python manage.py fail\nweb: sleep 60\n", encoding="utf-8")

    up = toy.run("up", "--detach", "--port", str(free_port()))

    assert up.returncode == 1
    assert "release failed with code 1:\nthis went wrong" in up.stdout


def test_two_installations_do_not_share_a_folder(toy):
    assert toy.run("up", "--detach", "--port", str(free_port())).returncode == 0

    in_front, detached = toy.run("up"), toy.run("up", "--detach")

    assert (in_front.returncode, detached.returncode) == (1, 0)
    assert f"Another bin/brainops is using {toy.place.data}." in in_front.stderr
    assert "BrainOps is running already" in detached.stdout


def test_a_command_without_running_servers_starts_them_for_itself(toy):
    assert toy.run("manage", "migrate").returncode == 0

    answer = toy.run("manage", "count_runs")

    assert (answer.stdout, answer.returncode) == ("0\n", 0)
    assert not (toy.place.postgres / "postmaster.pid").exists()


def test_several_workers_have_names_of_their_own(toy):
    assert toy.run("up", "--detach", "--workers", "2", "--port", str(free_port())).returncode == 0

    names = [process["name"] for process in toy.status()["processes"]]

    assert names == ["postgres", "valkey", "web", "worker.1", "worker.2", "beat", "consumer"]


def test_a_taken_port_is_named(toy):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        up = toy.run("up", "--detach", "--port", str(port))

    assert up.returncode == 1
    assert f"Port {port} is in use. Give another one with --port" in up.stdout


def test_the_product_is_asked_directly_whatever_proxy_is_set(toy):
    proxies = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}

    up = toy.run("up", "--detach", "--port", str(free_port()), **proxies)

    assert up.returncode == 0, up.stdout


def test_servers_named_in_the_environment_are_used(toy):
    named = {"DATABASE_URL": os.environ["DATABASE_URL"], "REDIS_URL": os.environ["REDIS_URL"]}
    parts = named["DATABASE_URL"].rpartition("/")
    named["DATABASE_URL"] = f"{parts[0]}/postgres"

    up = toy.run("up", "--detach", "--port", str(free_port()), **named)

    assert up.returncode == 0, up.stdout
    assert "Ready: the servers named in the environment." in up.stdout
    assert [process["name"] for process in toy.status()["processes"]] == ["web", "worker", "beat", "consumer"]


@pytest.mark.parametrize(("options", "is_shown"), [((), True), (("--quiet",), False)])
def test_logs_are_shown_in_front_and_not_when_quiet(toy, options, is_shown):
    (toy.checkout / "talk.py").write_text(
        "import time\nwhile True:\n    print('hard at work', flush=True)\n    time.sleep(0.1)\n", encoding="utf-8"
    )
    procfile = (toy.checkout / "Procfile").read_text(encoding="utf-8")
    (toy.checkout / "Procfile").write_text(f"{procfile}talker: python talk.py\n", encoding="utf-8")
    command = toy.command("up", "--port", str(free_port()), *options)

    with subprocess.Popen(command, cwd=toy.checkout, env=toy.environment, stdout=subprocess.PIPE, text=True) as up:
        seen = []
        for line in up.stdout:
            seen.append(line)
            if "curl -sX" in line:
                time.sleep(1)
                up.send_signal(signal.SIGTERM)

    assert any(line == "talker    | hard at work\n" for line in seen) is is_shown
