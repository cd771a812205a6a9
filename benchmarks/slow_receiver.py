"""A receiver that answers each POST after a set time, in a process of its own. Usage: PORT MILLISECONDS."""

from __future__ import annotations

import asyncio
import sys

from benchmarks.wire import Receiver


async def main(port: int, milliseconds: float) -> None:
    """Serve until killed; prints the port when ready."""

    async def wait(_head: bytes, _body: bytes) -> None:
        await asyncio.sleep(milliseconds / 1000)

    receiver = Receiver(wait, port=port)
    await receiver.start()
    print(receiver.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
