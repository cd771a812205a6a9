"""What a person reads when everything runs."""

from brainops.stack.client import API


def addresses(address: str) -> dict[str, str]:
    """The places to go, by name; `status --json` shows the same."""
    return {
        "admin": f"{address}/admin/",
        "api": f"{address}{API}/",
        "api_docs": f"{address}{API}/docs",
        "health": f"{address}{API}/health",
    }


def announcement(places: dict[str, str], *, user: str, curl: str) -> str:
    """The lines after the start: where to go, how to sign in, how to start a real run."""
    return f"""
BrainOps is running.

  Admin      {places["admin"]}   (sign in as {user}; lost the password? bin/brainops admin-password)
  API        {places["api"]}
  API docs   {places["api_docs"]}

Start a real run:

  {curl}
"""
