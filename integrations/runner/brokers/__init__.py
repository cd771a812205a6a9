"""Clients of message brokers, over sockets that the outbound door has connected."""
