"""What a person reads when everything runs."""

from brainops.stack.client import API


def addresses(address: str) -> dict[str, str]:
    """The places to go, by name; `status --json` shows the same."""
    return {
        "admin": f"{address}/admin/",
        "api": f"{address}{API}/",
        "schema": f"{address}{API}/schema",
        "health": f"{address}{API}/health",
    }


def announcement(places: dict[str, str], *, curl: str) -> str:
    """The lines after the start: where to go, how to sign in, how to start a real run."""
    return f"""
BrainOps is running.

  Admin      {places["admin"]}   (lost the password? bin/brainops admin-password)
  API        {places["api"]}
  Schema     {places["schema"]}

Start a real run:

  {curl}
"""
