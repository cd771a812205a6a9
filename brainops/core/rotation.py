"""Rotation of the encryption key: every stored secret written anew under the first key of the ring, while all goes on.

Web and workers read with every key of the ring, so nothing stops: put the new key first, restart, rotate, check, take
the old key out. Secrets in encrypted fields are found by a look at all models; rooms register how others are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from brainops.core import crypto
from brainops.core.errors import SecretUnreadable
from brainops.core.fields import Encrypted, EncryptedTextField
from brainops.core.registry import Registry

BATCH = 200  # rows of a transaction: locked for some 20 ms

# Functions without arguments that write stored secrets anew under the first key and return how many; may run twice.
rewriters: Registry[Callable[[], int]] = Registry("rewriter")

# Functions that say in a sentence why an older key is still needed for something else, None when it is not. Who
# registers a rewriter registers one of these, too.
lasting_uses: Registry[Callable[[], str | None]] = Registry("lasting use")


@dataclass(frozen=True, slots=True)
class Place:
    """One encrypted field of one model."""

    model: type[models.Model]
    field: EncryptedTextField

    @property
    def name(self) -> str:
        """`automation.Secret.value`."""
        return f"{self.model._meta.label}.{self.field.name}"

    def key_counts(self) -> Counter[str]:
        """How many secrets stand here, by the id of their key."""
        table, column = (
            connection.ops.quote_name(str(name)) for name in (self.model._meta.db_table, self.field.column)
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"select split_part({column}, '.', 2), count(*) from {table} where {column} is not null group by 1"  # noqa: S608 - both names are the model's
            )
            return Counter(dict(cursor.fetchall()))


@dataclass(slots=True)
class Report:
    """What a rotation did: secrets written anew by place, and one sentence for each that could not be read."""

    rewritten: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """Which keys are in use. `stale` counts secrets under older keys by place, `strange` those under unknown ones."""

    stale: Mapping[str, int]
    strange: Mapping[str, int]
    lasting: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        """True when the older keys may be taken out of the ring."""
        return not (self.stale or self.strange or self.lasting)


def places() -> Iterator[Place]:
    """Every encrypted field of every installed model."""
    for model in apps.get_models(include_auto_created=True):
        for one in model._meta.local_fields:
            if isinstance(one, EncryptedTextField) and model._meta.managed and not model._meta.proxy:
                yield Place(model, one)


def rotate(*, batch: int = BATCH, tell: Callable[[str, int], None] = lambda _place, _count: None) -> Report:
    """Write every secret anew that is not under the first key. May be stopped at any time and called again."""
    report = Report()
    for place in places():
        report.rewritten[place.name] = rotate_place(place, report, batch=batch)
        tell(place.name, report.rewritten[place.name])
    for name, rewrite in rewriters.items():
        try:
            report.rewritten[name] = rewrite()
        except SecretUnreadable as error:
            report.unreadable.append(f"{name}: {error.message}")
            continue
        tell(name, report.rewritten[name])
    return report


def standing() -> Standing:
    """Look at every stored secret and change nothing."""
    ring = settings.BRAINOPS_ENCRYPTION_KEYS
    first = crypto.key_ring().first_id
    stale: dict[str, int] = {}
    strange: dict[str, int] = {}
    for place in places():
        counts = place.key_counts()
        stale[place.name] = sum(count for key, count in counts.items() if key in ring and key != first)
        strange[place.name] = sum(count for key, count in counts.items() if key not in ring)
    needed = (look() for look in lasting_uses.values())
    return Standing(_some(stale), _some(strange), tuple(said for said in needed if said))


def read_all() -> tuple[Mapping[str, int], Mapping[str, int]]:
    """How many secrets of encrypted fields can be read with the ring's keys, and how many cannot, by place."""
    ring = crypto.key_ring()
    readable: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    for place in places():
        name = place.field.attname
        rows = place.model._base_manager.filter(**{f"{name}__isnull": False}).only("pk", name)
        for row in rows.iterator(chunk_size=BATCH):
            try:
                ring.decrypt(row.__dict__[name], associated=place.field.associated_data(row))
            except SecretUnreadable:
                unreadable[place.name] += 1
            else:
                readable[place.name] += 1
    return readable, unreadable


def rotate_place(place: Place, report: Report, *, batch: int = BATCH) -> int:
    """Write the secrets of one field anew; return how many. What cannot be read goes to the report."""
    count, last = 0, None
    while keys := _stale_keys(place, last, batch):
        count += _rotate_batch(place, keys, report)
        last = keys[-1]
    return count


def _stale_keys(place: Place, after: Any, batch: int) -> list[Any]:
    """The next primary keys whose secret is under another key than the first."""
    current = f"{crypto.VERSION}.{crypto.key_ring().first_id}."
    text = models.functions.Left(models.functions.Cast(place.field.name, models.TextField()), len(current))
    rows = place.model._base_manager.filter(**{f"{place.field.name}__isnull": False}).alias(begins=text)
    rows = rows.exclude(begins=current).order_by("pk")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.values_list("pk", flat=True)[:batch])


def _rotate_batch(place: Place, keys: list[Any], report: Report) -> int:
    """Under row locks: a secret that is changed meanwhile is read after its change, or changed after this."""
    ring, name, count = crypto.key_ring(), place.field.attname, 0
    with transaction.atomic():
        for row in place.model._base_manager.select_for_update(of=("self",)).filter(pk__in=keys).only("pk", name):
            stored = row.__dict__[name]
            if stored is None or ring.is_current(stored):
                continue
            associated = place.field.associated_data(row)
            try:
                plain = ring.decrypt(stored, associated=associated)
            except SecretUnreadable as error:
                report.unreadable.append(error.message)
                continue
            fresh = Encrypted(ring.encrypt(plain, associated=associated))
            count += place.model._base_manager.filter(pk=row.pk).update(**{name: fresh})
    return count


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
