"""Webhooks: signed deliveries in, signed deliveries out."""
