"""The REST doors of workflows and runs: parse, call a service, answer. One file a resource."""
