"""Signatures of one body under one secret, made with `openssl dgst -mac HMAC` and not with our code."""

SECRET = "a-secret-of-the-vectors-0123456789"
BODY = b'{"type":"order.paid","text":"caf\\u00e9 \xe2\x82\xac"}\n'
URL = "https://flows.example.com/hook?a=1"
NOW = 1795348800

# scheme: headers, address, options, body
VECTORS = {
    "bitbucket": (
        {"x-hub-signature": "sha256=b50b51b414f82994c29e80303c16cacb71b372cfaea17b4c35e98c4b26249fab"},
        "",
        {},
        BODY,
    ),
    "calendly": (
        {
            "calendly-webhook-signature": "t=1795348800,v1=6a4cbede1ae3bed74a5a276dd29201919ee181f2f690753654365c09b8ec022d"
        },
        "",
        {},
        BODY,
    ),
    "docusign": (
        {
            "x-docusign-signature-1": "TrytpWe2N7k0YgdLNur5r/BZGLciw5Y3uvc5VGRC05U=",
            "x-docusign-signature-2": "tQtRtBT4KZTCnoAwPBbKy3Gzcs+uoXtMNemMSyYkn6s=",
        },
        "",
        {},
        BODY,
    ),
    "gitea": ({"x-gitea-signature": "b50b51b414f82994c29e80303c16cacb71b372cfaea17b4c35e98c4b26249fab"}, "", {}, BODY),
    "github": (
        {"x-hub-signature-256": "sha256=b50b51b414f82994c29e80303c16cacb71b372cfaea17b4c35e98c4b26249fab"},
        "",
        {},
        BODY,
    ),
    "hubspot": (
        {
            "x-hubspot-signature-v3": "gHTRCix+9PjwBNMhQj0OutNhRho8xpQKLN67OsMlXZc=",
            "x-hubspot-request-timestamp": "1795348800000",
        },
        URL,
        {},
        BODY,
    ),
    "intercom": ({"x-hub-signature": "sha1=4ade8716a6e176b24df9673256224935e9fb5944"}, "", {}, BODY),
    "jira": (
        {"x-hub-signature": "sha256=b50b51b414f82994c29e80303c16cacb71b372cfaea17b4c35e98c4b26249fab"},
        "",
        {},
        BODY,
    ),
    "meta": (
        {"x-hub-signature-256": "sha256=b50b51b414f82994c29e80303c16cacb71b372cfaea17b4c35e98c4b26249fab"},
        "",
        {},
        BODY,
    ),
    "notion": (
        {"x-notion-signature": "sha256=b50b51b414f82994c29e80303c16cacb71b372cfaea17b4c35e98c4b26249fab"},
        "",
        {},
        BODY,
    ),
    "paddle": (
        {"paddle-signature": "ts=1795348800;h1=958820bee93218eb1fbb9f1c86ec21b9424032d2da6d7080b0c0408777d6fa1b"},
        "",
        {},
        BODY,
    ),
    "shopify": ({"x-shopify-hmac-sha256": "tQtRtBT4KZTCnoAwPBbKy3Gzcs+uoXtMNemMSyYkn6s="}, "", {}, BODY),
    "slack": (
        {
            "x-slack-signature": "v0=45ec161acc2f0ab11eaac73e8a538c336834d42a15a3af0f6877158338043c2e",
            "x-slack-request-timestamp": "1795348800",
        },
        "",
        {},
        BODY,
    ),
    "smartsheet": (
        {"smartsheet-hmac-sha256": "b50b51b414f82994c29e80303c16cacb71b372cfaea17b4c35e98c4b26249fab"},
        "",
        {},
        BODY,
    ),
    "square": ({"x-square-hmacsha256-signature": "9+9ubuC02UCFrb9yBInz+x/nhJBCjmGZgxmNvqwLFuI="}, URL, {}, BODY),
    "stripe": (
        {"stripe-signature": "t=1795348800,v1=6a4cbede1ae3bed74a5a276dd29201919ee181f2f690753654365c09b8ec022d,v0=00"},
        "",
        {},
        BODY,
    ),
    "trello": ({"x-trello-webhook": "D3QvAqOh+fY1xpNY5h1xoRxaKRY="}, URL, {}, BODY),
    "twitter": ({"x-twitter-webhooks-signature": "sha256=tQtRtBT4KZTCnoAwPBbKy3Gzcs+uoXtMNemMSyYkn6s="}, "", {}, BODY),
    "typeform": ({"typeform-signature": "sha256=tQtRtBT4KZTCnoAwPBbKy3Gzcs+uoXtMNemMSyYkn6s="}, "", {}, BODY),
    "zendesk": (
        {
            "x-zendesk-webhook-signature": "n2G3Od/hnEBpUDIBnopluXvs8yGgROqkerw645RbeRs=",
            "x-zendesk-webhook-signature-timestamp": "2026-11-22T12:00:00Z",
        },
        "",
        {},
        BODY,
    ),
    "zoom": (
        {
            "x-zm-signature": "v0=45ec161acc2f0ab11eaac73e8a538c336834d42a15a3af0f6877158338043c2e",
            "x-zm-request-timestamp": "1795348800",
        },
        "",
        {},
        BODY,
    ),
    "twilio": (
        {"x-twilio-signature": "HoJXPsrvRzu2dH3jVRlYqm38llc=", "content-type": "application/x-www-form-urlencoded"},
        URL,
        {},
        b"B=2&A=1&B=1&B=2&C=",
    ),
    "generic_hmac": (
        {
            "x-sig": "v1=v2vplKK9TqED+SjWwywwhKyEzCK5BV419yJk8iB1cfP5GGcKLUqLJr1rVHdm2gnEr9+7VNLMJokPGM+DKEgv9Q==",
            "x-time": "2026-11-22T12:00:00Z",
            "x-id": "id-7",
        },
        URL,
        {
            "header": "X-Sig",
            "prefix": "v1=",
            "algorithm": "sha512",
            "encoding": "base64",
            "timestamp_header": "X-Time",
            "timestamp_unit": "iso",
            "id_header": "X-Id",
            "template": "{method} {url} {id} {timestamp} {body}",
        },
        BODY,
    ),
}
