"""The HTTP connector: any service that speaks HTTP."""

from integrations.contract import Connector

CONNECTOR = Connector(
    key="http",
    title="HTTP",
    description="Call any HTTP service: REST endpoints, webhooks of other tools, internal services on the allow list.",
    icon="http",
    group="Core",
)
