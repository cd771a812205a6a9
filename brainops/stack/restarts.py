"""When a process that ended may start again."""

from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
MAX_DEATHS = 5
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 15.0


@dataclass(slots=True)
class Restarts:
    """The deaths of one process within the last minute."""

    deaths: list[float] = field(default_factory=list)

    def delay_seconds(self, now: float) -> float | None:
        """Note a death at `now`; seconds to wait before the restart, None when it is hopeless.

        Doubles with each death within a minute: 0.5, 1, 2, 4, 8 s; the sixth gives up.
        """
        self.deaths = [when for when in self.deaths if now - when < WINDOW_SECONDS] + [now]
        if len(self.deaths) > MAX_DEATHS:
            return None
        return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (len(self.deaths) - 1))
