"""The product's own processes, from the Procfile's lines."""

from collections.abc import Mapping

from brainops.stack.children import Service
from brainops.stack.place import CHECKOUT, Place
from brainops.stack.procfile import shell_command

# What no longer feeds, then what takes requests, then what works on them; the servers last.
STOP_ORDER = ("beat", "consumer", "web", "worker", "valkey", "postgres")
# Seconds to finish what is in hand. A worker gives its steps 30 s (CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT).
STOP_SECONDS = {"web": 25.0, "worker": 40.0, "consumer": 40.0}
DEFAULT_STOP_SECONDS = 10.0


def product_services(
    lines: Mapping[str, str], *, place: Place, environment: Mapping[str, str], workers: int
) -> list[Service]:
    """One service for each line but `release`, and as many workers as wished."""
    services = []
    for name, command in lines.items():
        if name == "release":
            continue
        copies = workers if name == "worker" else 1
        for number in range(1, copies + 1):
            label = f"{name}.{number}" if copies > 1 else name
            services.append(
                Service(
                    name=label,
                    command=shell_command(command),
                    environment=environment,
                    log=place.log(label),
                    stop_seconds=STOP_SECONDS.get(name, DEFAULT_STOP_SECONDS),
                    folder=CHECKOUT,
                )
            )
    return services
