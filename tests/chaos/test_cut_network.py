"""Scenario 8: two workers on two hosts, the network between one of them and PostgreSQL cut while the target is reachable."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest

from automation.runtime.heartbeat import FENCE_SHARE
from tests.chaos.house import DEAD_SECONDS
from tests.chaos.loads import Load, two_effects
from tests.chaos.network import Network, is_permitted

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]

NOTHING = (0, 0, 0, 0, 0)
CUT_SECONDS = 15
ON_ITS_WAY_SECONDS = 0.2  # between the last look at the fence and the target's clock
LONGEST_LINGER = 8.0  # seconds that runs need nothing from anybody: their effects fall due during the cut
CLAIMS = """
select r.uid::text, r.attempt from automation_run r join automation_worker w on w.id = r.worker_id
where r.status = 20 and w.pid = %s and w.state = 1
"""


@pytest.fixture
def network(house):
    if not is_permitted():
        pytest.skip("network namespaces need root, and the programs ip and unshare")
    network = Network([house.servers.postgres.port, house.servers.valkey.port])
    yield network
    house.stop_workers()
    network.remove()


def test_a_worker_cut_off_from_postgresql_starts_no_effect_that_another_one_may_take(house, chaos, network, tmp_path):
    cut_off, other = network.hosts
    log = tmp_path / "cut-off.log"
    claims, cut_at = {}, 0.0

    async def faults(scene):
        nonlocal cut_at
        loud = {"BRAINOPS_LOG_LEVEL": "INFO", "BRAINOPS_LOG_FORMAT": "json"}
        victim = await scene.start_worker(inside=cut_off, log=log, **loud)
        await scene.start_worker(inside=other)
        await asyncio.sleep(LONGEST_LINGER)
        with network.cut(cut_off, house.servers.postgres.port):
            cut_at = time.time()
            scene.tally.faults += 1
            claims.update(await asyncio.to_thread(house.rows, CLAIMS, victim.pid))
            await scene.note_held(cut_at, [victim.pid])
            await asyncio.sleep(CUT_SECONDS)
        await asyncio.sleep(6)

    lingering = Load(clients=4, extra=lambda chance: {"linger": round(chance.uniform(0, LONGEST_LINGER), 2)})
    options = {
        "workers": 0,
        "listen": network.gate,
        "define": partial(two_effects, linger=True),
        "BRAINOPS_WORKER_SLOTS": "300",
    }
    tally = chaos(faults, scenario=8, load=lingering, **options)

    theirs = [e.at - cut_at for e in tally.effects if claims.get(tally.runs[e.delivery]) == e.claim and e.at > cut_at]
    latest = max(theirs, default=0.0)
    said = log.read_text()
    tally.more |= {
        "held when cut": len(claims),
        "their effects after the cut": len(theirs),
        "the last of them": f"{latest:.1f} s after the cut",
        "writes refused": said.count("claim_lost"),
        "way": "network namespaces",
    }
    assert tally.errors == NOTHING
    assert latest <= FENCE_SHARE * DEAD_SECONDS + ON_ITS_WAY_SECONDS
    assert len({e.delivery for e in tally.effects if e.at > cut_at} & tally.accepted) > 0
    assert len(theirs) < len(claims)  # some were held back by the fence, or there would be nothing to see
    assert "worker_was_declared_dead" in said
    assert "claim_lost" in said  # it came back with results, and was refused
    assert tally.recovery <= tally.recovers_in + LONGEST_LINGER  # they linger again elsewhere
    assert house.rows("select count(*) from automation_worker where state = 1") == [(2,)]
