"""When a process that ended may start again."""

from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
DELAYS_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(slots=True)
class Restarts:
    """The deaths of one process within the last minute."""

    deaths: list[float] = field(default_factory=list)

    def delay_seconds(self, now: float) -> float | None:
        """Note a death at `now`; seconds to wait before the restart, None when it is hopeless.

        The wait doubles with each death within a minute; the sixth gives up.
        """
        self.deaths = [when for when in self.deaths if now - when < WINDOW_SECONDS] + [now]
        if len(self.deaths) > len(DELAYS_SECONDS):
            return None
        return DELAYS_SECONDS[len(self.deaths) - 1]
