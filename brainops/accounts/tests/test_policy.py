"""The policy table: who may do what."""

from uuid import uuid4

import pytest

from brainops.accounts import policy
from brainops.accounts.caller import Caller
from brainops.accounts.models import Role
from brainops.accounts.policy import CREATOR_PERMISSIONS, ROLE_PERMISSIONS, Permission
from brainops.core.errors import InvalidInput, PermissionDenied


def caller(role: Role = Role.VIEWER, **fields) -> Caller:
    return Caller(user_id=uuid4(), label="x", via="token", workspace_id=uuid4(), role=role, **fields)


# one row a permission: the least role that has it
LEAST_ROLE = {
    "viewer": (
        "workflows:read runs:read approvals:read triggers:read webhooks:read integrations:read members:read"
        " state:read events:read variables:read notices:read subscriptions:read"
    ),
    "operator": "runs:execute runs:cancel runs:retry runs:signal approvals:decide state:write events:write webhooks:replay"
    " subscriptions:replay",
    "builder": (
        "workflows:create workflows:update workflows:delete workflows:export workflows:import"
        " triggers:create triggers:update triggers:delete"
        " webhooks:create webhooks:update webhooks:delete webhooks:test"
        " integrations:create integrations:update integrations:delete integrations:test"
        " variables:write secrets:read notices:write subscriptions:write"
    ),
    "admin": (
        "members:write keys:read keys:write workflows:assign secrets:write audit:read audit:export workspace:update"
    ),
    "owner": "workspace:transfer workspace:delete",
}


def test_every_permission_stands_in_the_table_exactly_once():
    named = [name for names in LEAST_ROLE.values() for name in names.split()]

    assert sorted(named) == sorted(Permission)


@pytest.mark.parametrize("role", Role)
def test_a_role_has_its_own_permissions_and_those_of_lower_roles(role):
    wanted = {name for least, names in LEAST_ROLE.items() if Role(least).rank <= role.rank for name in names.split()}

    assert {str(permission) for permission in Permission if caller(role).may(permission)} == wanted


def test_reading_never_implies_running():
    viewer = ROLE_PERMISSIONS[Role.VIEWER]

    assert all(permission.endswith(":read") for permission in viewer)


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ({"*"}, set(Permission)),
        ({"runs:*"}, {"runs:read", "runs:execute", "runs:cancel", "runs:retry", "runs:signal"}),
        ({"runs:execute"}, {"runs:execute"}),
        (set(), set()),
        ({"run", "runs", "runs:", ":execute", "*:*", "runs:exec"}, set()),
    ],
)
def test_a_scope_allows_what_it_names_and_nothing_that_only_looks_like_it(scopes, allowed):
    assert {str(p) for p in Permission if policy.scopes_allow(scopes, p)} == {str(p) for p in allowed}


def test_a_role_and_a_scope_are_both_needed():
    narrow = caller(Role.OWNER, scopes=frozenset({"runs:read"}))

    with pytest.raises(PermissionDenied, match="This API key has no scope for runs:execute"):
        narrow.require(Permission.RUNS_EXECUTE)
    with pytest.raises(PermissionDenied, match="The role viewer does not include runs:execute"):
        caller(Role.VIEWER).require(Permission.RUNS_EXECUTE)


def test_the_creator_of_a_workflow_keeps_a_builders_verbs_on_it_whatever_the_role():
    viewer = caller(Role.VIEWER)

    assert viewer.may(Permission.WORKFLOWS_UPDATE, created_by=viewer.user_id)
    assert viewer.may(Permission.RUNS_EXECUTE, created_by=viewer.user_id)
    assert not viewer.may(Permission.WORKFLOWS_UPDATE, created_by=uuid4())
    assert not viewer.may(Permission.WORKFLOWS_UPDATE, created_by=None)
    assert not viewer.may(Permission.KEYS_WRITE, created_by=viewer.user_id)
    assert not viewer.may(Permission.WORKFLOWS_CREATE, created_by=viewer.user_id)


def test_a_creators_key_without_the_scope_may_not():
    key = caller(Role.VIEWER, scopes=frozenset({"workflows:read"}))

    assert not key.may(Permission.WORKFLOWS_UPDATE, created_by=key.user_id)


def test_nobody_without_a_user_is_a_creator():
    system = Caller(user_id=None, label="x", via="system", role=Role.VIEWER)

    assert not system.may(Permission.WORKFLOWS_UPDATE, created_by=None)


def test_creators_get_nothing_beyond_a_builder():
    assert ROLE_PERMISSIONS[Role.BUILDER] > CREATOR_PERMISSIONS


def test_every_unknown_scope_is_named_with_its_place():
    with pytest.raises(InvalidInput) as refusal:
        policy.check_scopes(["runs:read", "runs:fly", "*", "nonsense"], pointer="/scopes")

    assert [problem.pointer for problem in refusal.value.problems] == ["/scopes/1", "/scopes/3"]


def test_the_lower_of_two_roles():
    assert Role.ADMIN.at_most(Role.VIEWER) == Role.VIEWER.at_most(Role.ADMIN) == Role.VIEWER
    assert [role.rank for role in Role] == [0, 1, 2, 3, 4]
